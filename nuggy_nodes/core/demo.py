"""The demo's recipe, faults included: the baseline that every other recipe is measured against.

Nuggy grew from a demo (github.com/Youl-AI/Nuggy). What it did, at 1024x1024 whatever the photograph: a sigmoid of what
is a sigmoid already, two views averaged, stretched to the full range, a grey guided filter with radius 4, everything
under a cutoff zeroed, outlines of small area dropped and the rest filled, gamma 0.5, near-white to white, 8 bits, and
only then a resize to the photograph. The means of its filter mirror the border, as OpenCV does by default.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .errors import InputError
from .network.protocol import AnyNetwork
from .recipes import Recipe
from .refine.islands import IslandReport
from .segment.predict import Progress, run_squares
from .work import Work

SIDE = 1024


def demo_masks(
    images: Tensor, network: AnyNetwork, recipe: Recipe, work: Work, chunk: int = 0
) -> tuple[Tensor, list[IslandReport]]:
    """The demo's masks of photographs, one after the other.

    Args:
        images: [B,3,H,W], 0..1.
        network: IS-Net.
        recipe: the demo's, or changed; of its settings those count that recipes.py names there.
        work: is told of the progress, and keeps the seconds.
        chunk: has no meaning here: two squares go through the network at a time.

    Returns:
        Masks [B,1,H,W], 0..1, and no report of islands.

    Raises:
        InputError: OpenCV is missing.
    """

    def nth(i: int) -> Progress:
        return lambda done, total: work.of_network(i * total + done, len(images) * total)

    with work.stage("network"):
        alpha = [demo_alpha(image, network, recipe, nth(i)) for i, image in enumerate(images.split(1))]
    work.tell("done", 1.0)
    return torch.cat(alpha), []


def demo_alpha(image: Tensor, network: AnyNetwork, recipe: Recipe, progress: Progress | None = None) -> Tensor:
    """The demo's mask of one photograph.

    Args:
        image: [1,3,H,W], 0..1, taken in 8 bits, as the demo read files.
        network: IS-Net.
        recipe: radius (pixels at 1024), epsilon, threshold (its cutoff), min_area and gamma count.
        progress: called with squares done and their number.

    Returns:
        [1,1,H,W] float32, 0..1 in steps of 1/255.

    Raises:
        InputError: OpenCV is missing.
    """
    try:
        import cv2
    except ImportError as e:
        raise InputError(f"the recipe demo needs OpenCV ({e}): pip install opencv-python, or take balanced") from e
    from PIL import Image

    height, width = image.shape[-2:]
    pixels = (image[0].float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    square = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 255
    answers = run_squares(network, torch.cat([square, square.flip(-1)]), progress=progress)
    answers = answers.sigmoid().cpu()  # a second time: the network's answer is a probability already
    p = ((answers[0, 0] + answers[1, 0].flip(-1)) / 2).numpy()
    if p.max() > p.min():
        p = (p - p.min()) / (p.max() - p.min())

    guide = np.asarray(small.convert("L"), np.float32) / 255
    side = 2 * max(round(recipe.radius), 1) + 1
    mean_i, mean_p, mean_ip, mean_ii = (cv2.blur(x, (side, side)) for x in (guide, p, guide * p, guide * guide))
    a = (mean_ip - mean_i * mean_p) / (mean_ii - mean_i * mean_i + recipe.epsilon)
    b = mean_p - a * mean_i
    p = cv2.blur(a, (side, side)) * guide + cv2.blur(b, (side, side))

    p[p < recipe.threshold] = 0
    outlines, _ = cv2.findContours((p * 255).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    kept = np.zeros((SIDE, SIDE), np.uint8)
    large = [o for o in outlines if cv2.contourArea(o) > recipe.min_area * SIDE * SIDE]
    cv2.drawContours(kept, large, -1, 255, cv2.FILLED)
    if outlines:
        p[kept == 0] = 0
    p = p**recipe.gamma
    p[p > 0.95] = 1
    mask = Image.fromarray((p * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(mask))[None, None].to(image.device).float() / 255
