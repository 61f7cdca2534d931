"""A training scene: first a plan in NumPy, which any process can make, then tensors, made where the training runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
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


@dataclass
class Ready:
    """A scene that is painted: image [1,3,S,S], alpha and trust [1,1,S,S], uint8."""

    planes: tuple[Tensor, Tensor, Tensor]
    keep: bool
    kind: str


def ready(scene: Scene) -> Scene | Ready:
    """The same scene, painted where it takes little: one without strands, whose light, noise and JPEG would hold up a
    GPU for longer than they keep a processor busy. Nothing is lost: all its planes are of 8 bits."""
    if scene.clutter or any(not isinstance(x, Body) for x in scene.layers) or len(scene.layers) > 1:
        return scene
    with torch.no_grad():
        planes = [(255 * x).round().to(torch.uint8) for x in _one(scene, torch.device("cpu"))]
    return Ready((planes[0], planes[1], planes[2]), scene.keep, scene.kind)


def render(scenes: Sequence[Scene | Ready], device: torch.device | str) -> Batch:
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


def reduced(batch: Batch, size: int) -> Batch:
    """The same scenes on squares of `size` pixels, each the mean of what it covers."""
    if batch.image.shape[-1] == size:
        return batch
    image, alpha, trust = (
        F.interpolate(x, size=(size, size), mode="bilinear", antialias=True).clamp(0, 1)
        for x in (batch.image, batch.alpha, batch.trust)
    )
    return Batch(image, alpha, trust, batch.keep, batch.kinds)


def _one(scene: Scene | Ready, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    if isinstance(scene, Ready):
        image, alpha, trust = (x.to(device).float() / 255 for x in scene.planes)
        return image, alpha, trust
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
