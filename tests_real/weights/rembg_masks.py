"""Run by a Python that has rembg: python rembg_masks.py PICTURE.png OUT.npz SESSION...; files lie in U2NET_HOME."""

import sys

import numpy as np
from PIL import Image
from rembg import new_session

picture = Image.open(sys.argv[1])
np.savez(sys.argv[2], **{name: np.asarray(new_session(name).predict(picture)[0]) for name in sys.argv[3:]})
