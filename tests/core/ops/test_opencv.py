"""Without OpenCV everything works, and gives what it gives with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nuggy_nodes.core import InputError, View, cutout, recipe
from nuggy_nodes.core.guided_answer import Guidance
from nuggy_nodes.core.ops.blocks import enlarge_window
from nuggy_nodes.core.ops.box_filter import box_mean
from nuggy_nodes.core.ops.connected_components import components
from nuggy_nodes.core.ops.opencv import USED, opencv
from nuggy_nodes.core.refine.islands import remove_islands

ROOT = Path(__file__).parents[3]
SMALL = {"views": (View(512), View(512, flip=True)), "max_hole": 0.01}


@pytest.fixture
def without(monkeypatch):
    """A function that calls another one as if there were no OpenCV."""
    assert opencv() is not None

    def call(work, *given, **more):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "cv2", None)  # any import of it fails
            opencv.cache_clear()
            assert opencv() is None
            try:
                return work(*given, **more)
            finally:
                patch.undo()
                opencv.cache_clear()

    return call


@pytest.mark.parametrize("radius", [1, 7, 40, 500])
def test_box_means(without, radius):
    x = torch.rand(1, 3, 61, 83, generator=torch.Generator().manual_seed(radius)) * 3 - 1
    assert (without(box_mean, x, radius) - box_mean(x, radius)).abs().max() < 2e-7


def test_box_means_of_a_tall_picture_stay_exact(without):
    """Sums run over the whole height; a float32 sum of 20,000 values would lose what counts."""
    x = torch.rand(1, 1, 20_000, 3, generator=torch.Generator().manual_seed(2)) + 1000
    wanted = torch.nn.functional.avg_pool2d(x.double(), 3, 1, 1, count_include_pad=False)
    assert (without(box_mean, x, 1) - wanted).abs().max() < 1e-4


def test_parts_and_islands_and_windows(without):
    g = torch.Generator().manual_seed(3)
    mask = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 120, 160, generator=g), 5, 1, 2)
    for connectivity in (4, 8):
        one, two = components(mask[0, 0] > 0.5, connectivity), without(components, mask[0, 0] > 0.5, connectivity)
        assert one.count == two.count > 20 and torch.equal(one.part, two.part)
    settings = {"threshold": 0.5, "min_area": 0.004, "max_hole": 0.002}
    (kept, told), (also, said) = remove_islands(mask, **settings), without(remove_islands, mask, **settings)
    assert told == said and told[0].removed and told[0].filled and torch.equal(kept, also)
    window = (16, 57, 32, 120)
    assert (enlarge_window(mask[0], 4, window) - without(enlarge_window, mask[0], 4, window)).abs().max() < 1e-6


@pytest.mark.slow
def test_pipeline_to_the_pixel(without, network, chelsea):
    """Network, refinement, islands, holes, colours, and the answer to a stroke, in the 8 bits of a file."""
    keep = torch.zeros_like(chelsea[:, :1])
    keep[..., 10:30, 10:60] = 1
    for guidance in (None, Guidance(keep=keep)):
        one, two = (
            call(cutout, chelsea, network, recipe("balanced", **SMALL), guidance=guidance)
            for call in (lambda work, *a, **k: work(*a, **k), without)
        )
        assert (one.alpha - two.alpha).abs().max() < 1e-5 and one.islands == two.islands
        files = [(c.rgba() * 255).round().byte() for c in (one, two)]
        files[1] = (without(two.rgba) * 255).round().byte() if guidance else files[1]
        assert torch.equal(*files)


def test_recipe_that_needs_it_says_so(without, network, chelsea):
    with pytest.raises(InputError, match="demo needs OpenCV .* pip install opencv-python"):
        without(cutout, chelsea, network, "demo")


@pytest.mark.parametrize(
    "content", ["raise ImportError('libGL.so.1: cannot open shared object file')", None, "version = 'half of it'"]
)
def test_broken_one_is_none(tmp_path, content):
    """A system's library is missing; an uninstall left a folder; a package without what is used of it."""
    (tmp_path / "cv2").mkdir()
    if content:
        (tmp_path / "cv2" / "__init__.py").write_text(content)
    file = ROOT / "nuggy_nodes" / "core" / "ops" / "opencv.py"
    code = (
        f"import runpy, sys; sys.path[:0] = [{str(tmp_path)!r}]; assert not runpy.run_path({str(file)!r})['opencv']()"
    )
    subprocess.run([sys.executable, "-S", "-c", code], check=True)  # -S: not the one that is installed


def test_one_that_lacks_what_is_used_is_none(monkeypatch):
    """As the empty folder of an uninstalled one, and a build without a module."""
    monkeypatch.setitem(sys.modules, "cv2", ModuleType("cv2"))
    assert opencv.__wrapped__() is None
    whole = ModuleType("cv2")
    for name in USED:
        setattr(whole, name, None)
    monkeypatch.setitem(sys.modules, "cv2", whole)
    assert opencv.__wrapped__() is whole
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert opencv.__wrapped__() is None


def test_it_is_imported_in_one_place_only():
    """The nodes' part of the package; the recipe demo says what it needs."""
    found = {p.name for p in (ROOT / "nuggy_nodes" / "core").rglob("*.py") if "import cv2" in p.read_text("utf-8")}
    assert found == {"opencv.py", "demo.py"}
    assert not any("cv2" in p.read_text("utf-8") for p in (ROOT / "nuggy_nodes" / "nodes").rglob("*.py"))


def test_nothing_is_asked_for_that_comfyui_brings():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.strip() and not line.startswith("#")] == []
