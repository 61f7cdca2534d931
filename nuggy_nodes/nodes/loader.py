"""NuggyLoader: a weights file becomes a network under ComfyUI's memory management."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..core.network.tell import tell
from ..core.network.weights import default_path
from . import models
from .compat import Model, advanced, schema, wrong_choice
from .network import managed
from .progress import note

PRECISIONS = ["auto", "float32", "bfloat16", "float16", "int8"]


class NuggyLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            "NuggyLoader",
            [
                io.Combo.Input("weights", options=models.names()),
                advanced(io.Combo.Input("precision", options=PRECISIONS, default="auto")),
            ],
            [Model.Output("model")],
            ["remove background", "background removal model", "load isnet", "matting model", "rembg"],
        )

    @classmethod
    def validate_inputs(cls, weights: Any = None, precision: Any = None) -> bool | str:
        return wrong_choice(cls, weights=weights, precision=precision) or True

    @classmethod
    def fingerprint_inputs(cls, weights: str, precision: str) -> Any:
        path = models.resolve(weights) or default_path()  # a file that was replaced is read again
        return (str(path), path.stat().st_mtime_ns, precision)

    @classmethod
    def execute(cls, weights: str, precision: str) -> io.NodeOutput:
        model = managed(weights, precision)
        about = tell(models.resolve(weights) or default_path())
        arithmetic = str(model.dtype).removeprefix("torch.") if model.patcher else ""  # others choose their own
        said = (about.architecture, about.use, f"licence {about.licence}", arithmetic)
        return io.NodeOutput(model, ui=note("; ".join(s for s in said if s)))
