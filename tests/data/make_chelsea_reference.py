"""Makes chelsea-isnet.png and chelsea-default.png: onnxruntime's answers on samples/chelsea.png, in steps of 1/4095, of
the source ONNX graph, and of the same graph with the default weights in the place of its own.

    python tests/data/make_chelsea_reference.py ISNET.onnx

The photograph is resized to 1024x1024 by Pillow in 8 bits (bilinear), which no version of it rounds differently.
Made with onnxruntime 1.32.0 from the ONNX file that weights/README.md names.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image

here = Path(__file__).parent
sys.path.insert(0, str(here.parents[1]))
from nuggy_nodes.core.network import weights  # noqa: E402
from nuggy_nodes.core.network.isnet import layer_names  # noqa: E402


def answer(model: bytes, name: str) -> None:
    image = Image.open(here.parents[1] / "samples" / "chelsea.png").convert("RGB").resize((1024, 1024), Image.BILINEAR)
    x = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255 - 0.5
    session = onnxruntime.InferenceSession(model)
    found = session.run(None, {session.get_inputs()[0].name: x})[0][0, 0]
    cv2.imwrite(str(here / name), (found * 4095).round().astype(np.uint16))
    print(name, found.min(), found.max(), found.mean())


graph = onnx.load(sys.argv[1])
answer(graph.SerializeToString(), "chelsea-isnet.png")
state, _ = weights.read(weights.default_path())
stored = {t.name: t for t in graph.graph.initializer}
assert not any(n.op_type == "BatchNormalization" for n in graph.graph.node)  # folded, as in the default weights
for layer, node in zip(layer_names(), [n for n in graph.graph.node if n.op_type == "Conv"], strict=True):
    for at, part in ((1, "weight"), (2, "bias")):
        was = stored[node.input[at]]
        value = state[f"{layer}.{part}"].numpy().astype(numpy_helper.to_array(was).dtype)
        was.CopyFrom(numpy_helper.from_array(value, was.name))
answer(graph.SerializeToString(), "chelsea-default.png")
