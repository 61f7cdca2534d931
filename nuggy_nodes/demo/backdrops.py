"""What stands behind the subject, and how the subject stands there: chosen in the sidebar, made by the core."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..cli.backdrop import Backdrop
from ..core import Cutout
from ..core.ops.composite import over
from ..core.ops.scene import blurred_background, placed, soft_shadow

CHECKS = (0.8, 1.0)
SAMPLES = {  # colours from the upper edge to the lower
    "studio": ("#f4f4f2", "#e6e5e2", "#b9b7b2"),
    "dusk": ("#27346b", "#c9707a", "#f6c48a"),
    "meadow": ("#bfe3f7", "#dff0d8", "#6f9d4f"),
    "night": ("#05060d", "#141a33", "#2b2f55"),
}
BRANDS = {"white": "#ffffff", "black": "#000000", "nuggy": "#2e86c1", "passport": "#d9e4ec", "shop": "#f7f7f7"}


@dataclass(frozen=True)
class Scene:
    """kind: transparent, colour, picture, sample, blur. value: the colour, or the sample's name. picture: of one's own.
    scale, x, y: as core.ops.scene.placed has them. shadow: 0 to 1. blur: of the photograph's own background."""

    kind: str = "transparent"
    value: str = ""
    picture: Backdrop | None = None
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    shadow: float = 0.0
    blur: float = 0.02

    @property
    def moved(self) -> bool:
        """Whether the subject stands elsewhere than in the photograph."""
        return (self.scale, self.x, self.y) != (1.0, 0.0, 0.0)


def layers(cut: Cutout, scene: Scene, icc: bytes | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
    """colours [1,3,H,W] and alpha [1,1,H,W] of the subject with its shadow, and the background or None."""
    behind = background(cut, scene, icc)
    colours, alpha = placed(cut.colours, cut.alpha, scene.scale, scene.x, scene.y)
    if scene.shadow:
        shade = soft_shadow(alpha, scene.shadow)
        seen = alpha + (1 - alpha) * shade
        colours, alpha = colours.float() * alpha / seen.clamp(min=1e-4), seen  # over black
    return colours, alpha, behind


def composite(cut: Cutout, scene: Scene, icc: bytes | None = None) -> Tensor:
    """What is shown: [1,3,H,W]; transparency over checks."""
    colours, alpha, behind = layers(cut, scene, icc)
    return over(colours, alpha, checks(*alpha.shape[-2:]).to(colours) if behind is None else behind)


def background(cut: Cutout, scene: Scene, icc: bytes | None = None) -> Tensor | None:
    """The background [1,3,H,W]; None: transparent."""
    height, width = cut.alpha.shape[-2:]
    if scene.kind == "transparent":
        return None
    if scene.kind == "blur":
        return blurred_background(cut.image, cut.alpha, scene.blur)
    if scene.kind == "sample":
        return gradient(SAMPLES[scene.value], height, width).to(cut.alpha.device)
    from ..service.wanted import colour

    made = scene.picture if scene.kind == "picture" and scene.picture else colour(scene.value or "white")
    plane, there = made.planes(height, width, icc, cut.alpha.device)
    return plane if there is None else over(plane, there, torch.ones_like(plane))


def gradient(colours: tuple[str, ...], height: int, width: int) -> Tensor:
    """Colours from the upper edge to the lower, [1,3,height,width]."""
    from PIL import ImageColor

    stops = torch.tensor([ImageColor.getrgb(c)[:3] for c in colours], dtype=torch.float32).T[None] / 255
    rows = torch.nn.functional.interpolate(stops, size=height, mode="linear", align_corners=True)
    return rows[..., None].expand(1, 3, height, width)


def checks(height: int, width: int) -> Tensor:
    """The pattern that means transparency, [1,3,height,width]."""
    cell = max(max(height, width) // 64, 4)
    rows, columns = torch.arange(height)[:, None] // cell, torch.arange(width) // cell
    dark, light = CHECKS
    return torch.where((rows + columns) % 2 == 0, light, dark).expand(1, 3, height, width)
