"""Draws the pictures of the help pages, web/docs/: what goes into a node beside what comes out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw

from nuggy_nodes.core import cutout, load, steady_masks
from nuggy_nodes.core.inpaint.plan_crop import plan_crop
from nuggy_nodes.core.refine.edge import shift, soften
from nuggy_nodes.core.refine.islands import remove_islands
from nuggy_nodes.core.segment.each import each_part

from . import workflows
from .draw_pictures import on_checks, picture, side_by_side
from .server import REPOSITORY, Server


def draw_help(server: Server, kitten: np.ndarray) -> None:
    """What goes into a node beside what comes out, from one run of all five."""
    folder = REPOSITORY / "web" / "docs"
    server.upload(workflows.PICTURE, kitten)
    prompt, stages = workflows.help_pages()
    ran = server.run(prompt)
    assert not ran.error, ran.error
    made = {k: server.picture(ran.outputs[node]["images"][0]) for k, node in stages.items()}
    h, w = kitten.shape[:2]
    near = np.s_[int(h * 0.33) : int(h * 0.75), int(w * 0.25) : int(w * 0.62)]  # the head, where the fur shows

    def save(name: str, *pictures: np.ndarray) -> None:
        side_by_side(*pictures, height=260).save(folder / f"{name}.jpg", quality=85)

    save("NuggyTTAMask", kitten, made["NuggyTTAMask"])
    save("GuidedFilterRefine", kitten[near], made["NuggyTTAMask"][near], made["GuidedFilterRefine"][near])
    draw_masks(save, kitten, made["IslandRemove"])
    save("NuggyComposite", np.vstack((made["colour"][..., :3], made["mask"][..., :3])),
         np.vstack((on_checks(made["rgba"]), made["background_mask"][..., :3])))  # fmt: skip

    made = chained(server, kitten)
    ear = np.s_[int(h * 0.27) : int(h * 0.5), int(w * 0.27) : int(w * 0.62)]
    save("NuggyForeground", kitten[ear], made["foreground"][ear], made["background"][ear])
    save("NuggyPrepareInpaint", kitten, made["prepared"], made["mask"])
    save("NuggyPasteBack", kitten, made["field"], made["pasted"])
    given, steadied = flickering()
    gap = np.full((6, given.shape[1]), 128, np.uint8)
    Image.fromarray(np.vstack((given, gap, steadied))).save(folder / "NuggySteadyMask.png", optimize=True)


def chained(server: Server, kitten: np.ndarray) -> dict[str, np.ndarray]:
    """What the nodes around a model give, another photograph in the place of what a model paints."""
    height, width = (-(-n // 8) * 8 for n in kitten.shape[:2])
    field = Image.fromarray(picture("dragonfly-on-lavender.jpg", 1200)[:, 500:]).resize((width, height))
    server.upload(workflows.PICTURE, kitten)
    server.upload("painted.png", np.asarray(field))
    prompt, saved = workflows.chained_help()
    ran = server.run(prompt)
    assert not ran.error, ran.error
    return {k: server.picture(ran.outputs[node]["images"][0]) for k, node in saved.items()} | {
        "field": np.asarray(field)
    }


def flickering() -> np.ndarray:
    """One line of a synthetic clip over time, its masks below each other: as they came and steadied."""
    g = torch.Generator().manual_seed(4)
    frames, length = 96, 120
    x = torch.arange(float(length))[None]
    still = ((x - 70) / 16).clamp(0, 1) * (x < 112)
    images, masks = [], []
    for t in range(frames):
        strand = (2.2 - (x - 6 - 0.55 * t).abs()).clamp(0, 1)
        alpha = torch.maximum(still, strand)
        back = 0.3 + 0.1 * torch.sin(x / 5)
        images.append((alpha * 0.9 + (1 - alpha) * back + 0.01 * torch.randn(x.shape, generator=g)).expand(1, 3, 3, -1))
        soft = (still > 0) & (still < 1)
        masks.append((alpha + 0.25 * torch.randn(1, generator=g) * soft).clamp(0, 1).expand(1, 1, 3, -1))
    made = [torch.cat([m[0, :, 1] for m in some]) for some in (masks, list(steady_masks(zip(images, masks), 5)))]
    lines = torch.stack(made).transpose(1, 2).repeat_interleave(5, 2).repeat_interleave(2, 1)  # time to the right
    return (lines * 255).byte().numpy()


def draw_masks(save: Callable[..., None], kitten: np.ndarray, mask: np.ndarray) -> None:
    """The pages of nodes that change a mask or follow it. mask: the kitten's, 8-bit [H,W,3]; save(name, *pictures)."""
    alpha = as_tensor(mask)[:, :1]
    given = alpha.maximum(as_tensor(specks(mask.shape[:2])[..., None]))
    save("IslandRemove", as_picture(given), as_picture(remove_islands(given)[0]))

    h, w = alpha.shape[-2:]
    near = alpha[..., int(h * 0.25) : int(h * 0.6), int(w * 0.22) : int(w * 0.62)]
    save("NuggyAdjustMask", *map(as_picture, (near, shift(near, -6), shift(near, 6), soften(near, 8), 1 - near)))

    photo = as_tensor(kitten)
    crops = [plan_crop(alpha, shape, 0.1) for shape in ("subject", "square")]
    save("NuggyCropSubject", kitten, *(as_picture(c.cut(photo)) for c in crops))

    osprey = picture("perched-osprey.jpg", round(kitten.shape[0] * 1.5))
    kept = min(len(osprey), len(kitten))
    photos = [as_tensor(p[:kept]) for p in (kitten, osprey)]
    found = [alpha[..., :kept, :], cutout(photos[1], load(), "fast").alpha]
    parts = each_part(torch.cat(found, -1))[:2]
    save("NuggyEachSubject", as_picture(torch.cat(photos, -1)), *map(as_picture, parts))


def specks(shape: tuple[int, int]) -> np.ndarray:
    """What does not belong to a subject, and one hair that does, 8-bit [H,W]."""
    height, width = shape
    drawn = Image.new("L", (width, height))
    pen = ImageDraw.Draw(drawn)
    for x, y, size in (
        (0.1, 0.2, 9),
        (0.16, 0.75, 12),
        (0.8, 0.15, 7),
        (0.9, 0.4, 10),
        (0.62, 0.12, 6),
        (0.93, 0.9, 11),
    ):
        pen.ellipse([x * width - size, y * height - size, x * width + size, y * height + size], fill=230)
    pen.line([0.14 * width, 0.42 * height, 0.22 * width, 0.36 * height, 0.29 * width, 0.34 * height], fill=255, width=3)
    return np.asarray(drawn)


def as_tensor(picture: np.ndarray) -> torch.Tensor:
    """8-bit [H,W,C] to [1,C,H,W], 0..1."""
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None].float() / 255


def as_picture(x: torch.Tensor) -> np.ndarray:
    """[1,1 or 3,H,W] to 8-bit [H,W,3]."""
    return (x[0].expand(3, -1, -1).movedim(0, -1).clamp(0, 1) * 255).round().byte().numpy()
