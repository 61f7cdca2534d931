"""A training scene: first a plan in NumPy, which any process can make, then tensors, made where the training runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .camera import Camera, expose, focus
from .motifs import Layer
from .raster import paint
from .shapes import Body, Bytes
from .strands import Sheer


@dataclass
class Scene:
    """What is needed to paint one scene, back to front.

    ground: [S,S,3] uint8. clutter: layers painted on the ground, out of focus by `clutter_blur` pixels, no subject.
    truth: [S,S] uint8, alpha of what the ground itself shows (a photograph's subject). trust: [S,S] uint8, how far
    truth is to be believed (nowhere: only the original weights' answer counts). layers: the drawn subject, over all.
    keep: a real photograph, on which the network is to stay near the original weights where those were sure.
    """

    ground: Bytes
    truth: Bytes
    trust: Bytes
    layers: Sequence[Layer] = ()
    clutter: Sequence[Layer] = ()
    clutter_blur: float = 0.0
    camera: Camera = field(default_factory=Camera)
    keep: bool = False
    kind: str = ""


@dataclass
class Batch:
    """image [B,3,S,S], alpha [B,1,S,S] and trust [B,1,S,S], 0..1; keep [B] bool; kinds, a name each."""

    image: Tensor
    alpha: Tensor
    trust: Tensor
    keep: Tensor
    kinds: list[str]


def render(scenes: Sequence[Scene], device: torch.device | str) -> Batch:
    """Paint scenes of one size. The alpha given out is exactly the one that the picture was composed with."""
    device = torch.device(device)
    with torch.no_grad():
        images, alphas, trusts = zip(*(_one(s, device) for s in scenes), strict=True)
    return Batch(
        torch.cat(images),
        torch.cat(alphas),
        torch.cat(trusts),
        torch.tensor([s.keep for s in scenes], device=device),
        [s.kind for s in scenes],
    )


def _one(scene: Scene, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    ground, alpha, trust = _tensor(scene.ground, device), _tensor(scene.truth, device), _tensor(scene.trust, device)
    size = ground.shape[-1]
    if scene.clutter:
        far = focus(_paint(scene.clutter, size, device), Camera(blur=scene.clutter_blur)).clamp(0, 1)
        ground = far[:, :3] + (1 - far[:, 3:]) * ground
        alpha = (1 - far[:, 3:]) * alpha
    if scene.layers:
        # a GPU that convolves in TF32 may go past 1 by its rounding
        drawn = focus(_paint(scene.layers, size, device), scene.camera).clamp(0, 1)
        colour, cover = drawn[:, :3], drawn[:, 3:]
        ground = colour + (1 - cover) * ground
        alpha = cover + (1 - cover) * alpha
        trust = cover + (1 - cover) * trust  # what was drawn is known
    return expose(ground, scene.camera), alpha, trust


def _paint(layers: Sequence[Layer], size: int, device: torch.device) -> Tensor:
    """[1,4,S,S]: colour times alpha, alpha (Porter and Duff's over operator, SIGGRAPH 1984)."""
    out = torch.zeros(1, 4, size, size, device=device)
    for layer in layers:
        if isinstance(layer, Body):
            planes = [(_tensor(layer.cover, device)[0], _tensor(layer.colour, device)[0])]
        elif isinstance(layer, Sheer):
            planes = [(layer.opacity * cover, ink) for cover, ink in paint(layer.strokes, size, size, device)]
        else:
            planes = list(paint(layer, size, size, device))
        for cover, colour in planes:
            out *= 1 - cover
            out[:, :3] += cover * colour
            out[:, 3:] += cover
    return out


def _tensor(pixels: Bytes, device: torch.device) -> Tensor:
    x = torch.from_numpy(pixels).to(device)
    return (x.permute(2, 0, 1) if x.ndim == 3 else x[None])[None].float() / 255
