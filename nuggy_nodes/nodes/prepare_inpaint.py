"""NuggyPrepareInpaint: what a model that repaints the background is shown, where it may paint, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from comfy_api.latest import io

from ..core.checks import match_batch
from ..core.inpaint.plan_crop import SHAPES
from ..core.inpaint.prepare import FILLS, Prepared, prepare_inpainting
from ..core.inpaint.repaint_mask import CELLS
from ..core.ops.resample import enlarge
from .compat import Stitch, advanced, schema, wrong_choice
from .device import Place
from .progress import Bar
from .tensors import from_image, mask_for, to_image, to_mask

BYTES_PER_PIXEL = 60  # all pictures of a batch lie there together: their crop is one
MULTIPLES = ["8", "16", "32", "64"]


class NuggyPrepareInpaint(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyPrepareInpaint",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                io.Combo.Input("crop", options=list(SHAPES), default="picture"),
                io.Float.Input("margin", default=0.25, min=0.0, max=4.0, step=0.05),
                io.Int.Input("long_side", default=0, min=0, max=16384, step=64),
                io.Combo.Input("fill", options=list(FILLS), default="neutral"),
                io.Combo.Input("edge_cells", options=list(CELLS), default="keep"),
                io.Int.Input("grow", default=8, min=0, max=512, step=1),
                io.Int.Input("feather", default=0, min=0, max=512, step=1),
                advanced(io.Float.Input("protect", default=0.95, min=0.05, max=1.0, step=0.01)),
                advanced(io.Combo.Input("multiple", options=MULTIPLES, default="8")),
                advanced(io.Combo.Input("latent_cell", options=["1", *MULTIPLES], default="8")),
                advanced(io.Boolean.Input("follow", default=False)),
            ],
            [io.Image.Output("prepared"), io.Mask.Output("repaint_mask"), Stitch.Output("stitch")],
            ["inpaint background", "inpaint crop", "crop and stitch", "generate background", "latent mask",
             "differential diffusion", "ip-adapter reference"],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, crop: Any = None, fill: Any = None, edge_cells: Any = None, multiple: Any = None,
                        latent_cell: Any = None) -> bool | str:  # fmt: skip
        if multiple in MULTIPLES and latent_cell in MULTIPLES and int(multiple) % int(latent_cell):
            return f"multiple must be a multiple of latent_cell; got {multiple} and {latent_cell}"
        given = {"crop": crop, "fill": fill, "edge_cells": edge_cells, "multiple": multiple, "latent_cell": latent_cell}
        return wrong_choice(cls, **given) or True

    @classmethod
    def execute(cls, image: torch.Tensor, mask: torch.Tensor, edge_cells: str, multiple: str, latent_cell: str,
                **settings: Any) -> io.NodeOutput:  # fmt: skip
        images = from_image(image)
        images, masks = match_batch(images, mask_for(images, mask), "image", "mask")
        bar = Bar(len(images))

        def work(colours: torch.Tensor, alpha: torch.Tensor) -> Prepared:
            alpha = enlarge(alpha, *colours.shape[-2:])
            return prepare_inpainting(colours, alpha, cells=edge_cells, multiple=int(multiple), grid=int(latent_cell),
                                      progress=bar, **settings)  # fmt: skip

        made = Place(images, BYTES_PER_PIXEL, len(images)).run(work, images, masks)
        alpha, mask = (x.to(images.device) for x in (made.stitch.alpha, made.mask))
        stitch = replace(made.stitch, image=images, alpha=alpha, mask=mask)
        return io.NodeOutput(to_image(made.image), to_mask(made.mask), stitch)
