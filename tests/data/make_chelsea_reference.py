"""Makes chelsea-isnet.png: onnxruntime's answer of the source ONNX graph on samples/chelsea.png, in steps of 1/4095.

    python tests/data/make_chelsea_reference.py ISNET.onnx

The photograph is resized to 1024x1024 by Pillow in 8 bits (bilinear), which no version of it rounds differently.
Made once with onnxruntime 1.32.0 from the ONNX file that weights/README.md names.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from PIL import Image

here = Path(__file__).parent
image = Image.open(here.parents[1] / "samples" / "chelsea.png").convert("RGB").resize((1024, 1024), Image.BILINEAR)
x = np.asarray(image, np.float32).transpose(2, 0, 1)[None] / 255 - 0.5
answer = onnxruntime.InferenceSession(sys.argv[1]).run(None, {"input": x})[0][0, 0]
cv2.imwrite(str(here / "chelsea-isnet.png"), (answer * 4095).round().astype(np.uint16))
print(answer.min(), answer.max(), answer.mean())
