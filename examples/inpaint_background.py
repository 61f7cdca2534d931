"""A new background for a photograph, painted by a model of the `diffusers` library; the subject stays as it is.

    pip install '.[diffusers]'
    python examples/inpaint_background.py photo.jpg --model FOLDER --prompt "a beach at sunset"

FOLDER is an inpainting model in the layout of diffusers (model_index.json and its parts), or a name that diffusers
knows. photo-repainted.png is written beside the photograph, at its full size.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from nuggy_nodes.core import Prepared, choose_device, cutout, load, paste_back, prepare_inpainting


def read(path: Path) -> torch.Tensor:
    """A photograph, upright, as [1,3,H,W] with values 0..1."""
    with Image.open(path) as f:
        pixels = np.array(ImageOps.exif_transpose(f).convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def write(picture: torch.Tensor, path: Path) -> None:
    pixels = (picture[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0)
    Image.fromarray(pixels.cpu().numpy()).save(path)


def prepare(photograph: torch.Tensor, long_side: int, recipe: str = "default") -> Prepared:
    """Find the subject, hide the old background, say where the model may paint."""
    alpha = cutout(photograph, load(), recipe).alpha
    return prepare_inpainting(photograph, alpha, long_side=long_side, cells="repaint")


def repaint(pipeline: Any, prepared: Prepared, **asked: Any) -> torch.Tensor:
    """The model's pictures [B,3,h,w] for the prepared one. asked: prompt, num_inference_steps, generator, ..., as the
    pipeline takes them."""
    height, width = prepared.image.shape[-2:]
    made = pipeline(
        image=prepared.image, mask_image=prepared.mask, height=height, width=width, output_type="pt", **asked
    )
    return made.images.float().cpu()


def main(given: list[str] | None = None) -> Path:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--long-side", type=int, default=512, help="what the model works best with")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default="default")
    asked = parser.parse_args(given)

    from diffusers import AutoPipelineForInpainting

    pipeline = AutoPipelineForInpainting.from_pretrained(asked.model).to(choose_device())
    prepared = prepare(read(asked.photo), asked.long_side, asked.recipe)
    painted = repaint(pipeline, prepared, prompt=asked.prompt, num_inference_steps=asked.steps,
                      generator=torch.Generator().manual_seed(asked.seed))  # fmt: skip
    picture, _ = paste_back(prepared.stitch, painted)
    target = asked.photo.with_name(asked.photo.stem + "-repainted.png")
    write(picture, target)
    return target


if __name__ == "__main__":
    print(main())
