"""The whole story: a photograph and a recipe in, a cut-out out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from .boxmean import box_mean
from .checks import check_alpha, check_image, match_batch
from .closer_look import look
from .composite import over, rgba
from .errors import InputError
from .foreground import estimate_foreground
from .guided import enlarge, guided_filter
from .islands import IslandReport, remove_islands
from .levels import levels
from .opacity import shown
from .predict import Progress
from .recipes import Recipe, fullness
from .recipes import recipe as find_recipe
from .seed import seed_alpha
from .weights import Network

Report = Callable[[str, float], None]
DOUBT_RADIUS = 1 / 64  # of the longer side
DOUBT_CELLS = 512  # along the longer side, at the least
DOUBT = (0.03, 0.12)  # share of undecided alpha: the mask's own edge up to the first, the filter's from the second
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma, on sRGB-encoded values


@dataclass
class Cutout:
    """alpha [B,1,H,W] (1 = subject) for the photographs image [B,3,H,W]; what islands were removed, one report a
    photograph; seconds by stage. method, fill, opacity: as for foreground.estimate_foreground, which makes `colours`.
    """

    alpha: Tensor
    image: Tensor
    method: str = "multilevel"
    fill: Sequence[float] | None = None
    opacity: Tensor | None = None
    islands: list[IslandReport] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @cached_property
    def colours(self) -> Tensor:
        """The subject's own colours [B,3,H,W], straight, nothing of the background where alpha is 0. Estimated when
        first asked for: a caller that wants the alpha alone does not pay."""
        started = time.perf_counter()
        found = estimate_foreground(self.image, self.alpha, self.method, fill=self.fill, opacity=self.opacity)
        self.seconds["colours"] = time.perf_counter() - started
        return found

    def rgba(self) -> Tensor:
        """Straight-alpha picture [B,4,H,W]."""
        return rgba(self.colours, self.alpha)

    def over(self, background: Tensor) -> Tensor:
        """Composite over a background [B or 1,3,H,W] of the same size: [B,3,H,W]."""
        return over(self.colours, self.alpha, background)


@torch.inference_mode()
def cutout(
    images: Tensor,
    network: Network,
    recipe: str | Recipe = "default",
    *,
    opacity: Tensor | None = None,
    chunk: int = 0,
    report: Report | None = None,
) -> Cutout:
    """Cut the subject out of photographs.

    images: [B,3,H,W], 0..1, sRGB-encoded, on any device (the refinement runs there; the network where its weights
    are). recipe: a name of recipes.RECIPES or a Recipe. opacity: [B,1,H,W], of photographs that are transparent
    already; alpha is then nowhere above it. chunk: squares at a time through the network (0: chosen).
    report(stage, share of the whole work done, 0..1) is called as the work goes on; an exception it raises ends it.
    Raises InputError.
    """
    check_image(images)
    settings = recipe = find_recipe(recipe)
    photographs = images
    if opacity is not None:
        if check_alpha(opacity, "opacity").shape[-2:] != images.shape[-2:]:
            raise InputError(
                f"images are {tuple(images.shape)} and opacity {tuple(opacity.shape)}; sizes must be equal"
            )
        photographs, opacity = match_batch(images, opacity, "images", "opacity")
        images = shown(photographs, opacity)

    def result(alpha: Tensor, islands: list[IslandReport]) -> Cutout:
        alpha = alpha if opacity is None else torch.minimum(alpha, opacity.to(alpha))
        return Cutout(alpha, photographs, settings.foreground, settings.fill_colour, opacity, islands, seconds)

    seconds: dict[str, float] = {}

    def progress(done: int, total: int) -> None:
        """Of the network's work, which is 0.8 of the whole."""
        if report:
            report("network", 0.8 * done / total)

    started = time.perf_counter()
    if recipe.name == "seed":
        count = len(images)

        def nth(i: int) -> Progress:
            return lambda done, total: progress(i * total + done, count * total)

        alpha = torch.cat([seed_alpha(image, network, recipe, nth(i)) for i, image in enumerate(images.split(1))])
        seconds["network"] = time.perf_counter() - started
        return result(alpha, [])
    coarse = look(network, images, recipe.views, recipe.combine, recipe.looks, chunk=chunk, progress=progress)
    seconds["network"] = time.perf_counter() - started

    parts, islands = [], []
    for i, (image, small) in enumerate(zip(images.split(1), coarse.split(1))):
        if report:
            report("refine", 0.8 + 0.2 * i / len(images))
        started = time.perf_counter()
        alpha = refine(image, small, recipe)
        seconds["refine"] = seconds.get("refine", 0.0) + time.perf_counter() - started
        started = time.perf_counter()
        if recipe.islands != "all" or recipe.max_hole:
            alpha, found = remove_islands(alpha, recipe.threshold, recipe.min_area, recipe.min_reach, recipe.min_peak,
                                          recipe.max_hole, recipe.islands)  # fmt: skip
            islands += found
        seconds["islands"] = seconds.get("islands", 0.0) + time.perf_counter() - started
        parts.append(alpha)
    if report:
        report("done", 1.0)
    return result(torch.cat(parts) if len(parts) > 1 else parts[0], islands)


def refine(image: Tensor, coarse: Tensor, recipe: Recipe) -> Tensor:
    """Bring a coarse mask [1,1,h,w] to the size of its photograph [1,3,H,W]: edges from the photograph, then levels.

    Where the mask is sure of itself but for a narrow edge, that edge stays: a window much wider than it would smear it
    (`doubt`). What the filter takes away inside a small subject are its gaps, what it adds around one is mostly smear:
    additions count by `fullness`. Returns [1,1,H,W].
    """
    height, width = image.shape[-2:]
    alpha = enlarge(coarse, height, width)
    if recipe.guide == "none":
        return levels(alpha, recipe.black, recipe.white, recipe.gamma)
    guide = image
    if recipe.guide == "grey":
        guide = (image.float() * torch.tensor(GREY, device=image.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    share = float(coarse.mean())
    radius = recipe.radius_for(height, width, share)
    for done in range(recipe.passes):
        gamma = recipe.gamma if done + 1 == recipe.passes else 1.0
        change = guided_filter(guide, alpha, radius, recipe.epsilon).sub_(alpha)
        if not done:
            weight = doubt(alpha)  # at full size, so that a mask which comes enlarged already gives the same
        taken = F.leaky_relu_(change.mul_(weight).neg_(), fullness(share))  # all that it takes, a part of what it adds
        alpha = torch.sub(alpha, taken, out=taken)
        alpha = levels(alpha, *recipe.levels_for(done), gamma)
    return alpha


def doubt(mask: Tensor) -> Tensor:
    """How far a mask [B,1,h,w] needs the photograph to tell what is subject, 0..1, same shape.

    The share of undecided alpha, 4p(1-p), in a window of DOUBT_RADIUS, on the scale DOUBT. A straight edge as sharp as
    the network's grid holds gives about the first value there: it is kept. Fur, strands and gaps give more.
    """
    height, width = mask.shape[-2:]
    mask = mask.float()
    undecided = torch.addcmul(mask, mask, mask, value=-1)
    cell = max(max(height, width) // DOUBT_CELLS, 1)  # the share is smooth: large masks need not have it pixel by pixel
    if cell > 1:
        undecided = F.avg_pool2d(undecided, cell, ceil_mode=True, count_include_pad=False)
    share = 4 * box_mean(undecided, max(round(DOUBT_RADIUS * max(undecided.shape[-2:])), 1))
    return enlarge(((share - DOUBT[0]) / (DOUBT[1] - DOUBT[0])).clamp_(0, 1), height, width)
