"""NuggyCropSubject: pictures and their masks cut to the subject, with space around it, as they are or as a square."""

from __future__ import annotations

import torch
from comfy_api.latest import io
from torch import Tensor

from ..core.checks import match_batch
from ..core.inpaint.plan_crop import plan_crop
from ..core.ops.resample import enlarge
from .compat import advanced, schema, wrong_choice
from .device import Place
from .progress import Bar, note
from .tensors import from_image, mask_for, to_image, to_mask

BYTES_PER_PIXEL = 40
SHAPES = ["subject", "square"]
MULTIPLES = ["1", "8", "16", "32", "64"]


class NuggyCropSubject(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyCropSubject",
            [
                io.Image.Input("image"),
                io.Mask.Input("mask"),
                io.Combo.Input("crop", options=SHAPES, default="subject"),
                io.Float.Input("margin", default=0.1, min=0.0, max=4.0, step=0.05),
                io.Int.Input("long_side", default=0, min=0, max=16384, step=64),
                advanced(io.Combo.Input("multiple", options=MULTIPLES, default="1")),
                advanced(io.Boolean.Input("follow", default=False)),
            ],
            [io.Image.Output("cropped"), io.Mask.Output("cropped_mask")],
            ["crop to mask", "crop to subject", "auto crop", "trim", "bounding box", "square crop", "padding"],
        )

    @classmethod
    def validate_inputs(cls, crop: object = None, multiple: object = None) -> bool | str:
        return wrong_choice(cls, crop=crop, multiple=multiple) or True

    @classmethod
    def execute(
        cls, image: Tensor, mask: Tensor, crop: str, margin: float, long_side: int, multiple: str, follow: bool
    ) -> io.NodeOutput:
        images = from_image(image)
        images, masks = match_batch(images, mask_for(images, mask), "image", "mask")
        alphas = enlarge(masks, *images.shape[-2:])
        if not bool((alphas > 0).any()):
            said = note("the mask is empty: nothing is cropped", alert=True)
            return io.NodeOutput(to_image(images), to_mask(alphas), ui=said)
        plan = plan_crop(alphas, crop, margin, long_side, int(multiple), follow)
        place, bar, made = Place(images, BYTES_PER_PIXEL), Bar(len(images)), []
        for i, (one, alpha) in enumerate(zip(images.split(1), alphas.split(1))):
            bar(i, len(images))
            window = plan.frame(i)
            cut = place.run(lambda x, a, w=window: (w.cut(x), w.cut(a, "zeros")), one, alpha)
            made.append((to_image(cut[0]), to_mask(cut[1])))
        bar(len(images), len(images))
        return io.NodeOutput(*(torch.cat(part) for part in zip(*made)), ui=note(""))
