"""Odd surroundings: another folder name, neighbours that meddle, files that are no weights, pictures of every kind."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nuggy_nodes.core.network.weights import default_path

from . import install
from .prompts import DEFAULT, Prompt, chain, extend
from .server import REPOSITORY, Server

NEIGHBOUR = """
import os, sys, torch
sys.path.insert(0, os.path.dirname(__file__))  # as many packs do: its core.py and nuggy_nodes.py come before all others

class OddPicture:
    CATEGORY, FUNCTION, RETURN_TYPES = "neighbour", "make", ("IMAGE", "MASK")
    INPUT_TYPES = classmethod(lambda cls: {"required": {"image": ("IMAGE",), "which": ("STRING", {})}})

    def make(self, image, which):
        made = {
            "half": lambda: image.half(),
            "bfloat16": lambda: image.bfloat16(),
            "double": lambda: image.double(),
            "grey": lambda: image[..., :1],
            "rgba": lambda: torch.cat((image, image[..., :1]), -1),
            "pixel": lambda: image[:, :1, :1],
            "row": lambda: image[:, 50:51],
            "strided": lambda: image.flip(1).transpose(1, 2)[:, ::2, ::3],
            "loud": lambda: image * 3 - 1,
            "nan": lambda: torch.where(image > 0.99, torch.nan, image),
            "empty": lambda: image[:0],
        }[which]()
        return made, made[..., 0] > 0.5


class Bright:  # the contract of ComfyUI's own background removal models, which came with 0.32
    image_size = 256

    def encode_image(self, image):
        return (20 * (image.mean(-1) - 0.5)).sigmoid()


class StandIn:
    CATEGORY, FUNCTION, RETURN_TYPES = "neighbour", "make", ("BACKGROUND_REMOVAL",)
    INPUT_TYPES = classmethod(lambda cls: {"required": {}})

    def make(self):
        return (Bright(),)


NODE_CLASS_MAPPINGS = {"OddPicture": OddPicture, "StandIn": StandIn}
"""


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch pwned",)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server told to load two packs only: ours, in a folder named as the registry names it, and a neighbour."""
    base, elsewhere = tmp_path_factory.mktemp("odd"), tmp_path_factory.mktemp("elsewhere")
    packs, models = base / "custom_nodes", base / "models" / "nuggy"
    for folder in (packs / "neighbour", packs / "unwanted", models, elsewhere / "cut" / "mine"):
        folder.mkdir(parents=True)
    (packs / "nuggy-nodes").symlink_to(REPOSITORY)
    (packs / "neighbour" / "__init__.py").write_text(NEIGHBOUR)
    for name in ("core.py", "nuggy_nodes.py", "bridge.py"):
        (packs / "neighbour" / name).write_text("raise ImportError('the neighbour, not Nuggy')")
    (packs / "unwanted" / "__init__.py").write_text("raise RuntimeError('this was not to be loaded')")

    (elsewhere / "cut" / "mine" / "own.safetensors").symlink_to(default_path())
    (elsewhere / "paths.yaml").write_text(f"mine:\n  base_path: {elsewhere}\n  nuggy: cut\n")
    whole = default_path().read_bytes()
    (models / "truncated.safetensors").write_bytes(whole[: len(whole) // 2])
    (models / "page.safetensors").write_bytes(b"<!DOCTYPE html><title>404</title>" * 9)
    save_file({"unet.weight": torch.zeros(4, 4)}, models / "other.safetensors")
    (models / "evil.pth").write_bytes(pickle.dumps(Evil()))
    (models / "readme.md").write_text("not weights")

    root = os.environ.get("NUGGY_COMFYUI")
    only = ("--disable-all-custom-nodes", "--whitelist-custom-nodes", "nuggy-nodes", "neighbour")
    arguments = (*only, "--extra-model-paths-config", str(elsewhere / "paths.yaml"))
    running = Server(install.server(), base, Path(root) if root else None, arguments, link=False)
    try:
        yield running
    finally:
        running.stop()


def test_weights_of_all_folders_are_offered(odd: Server) -> None:
    asked = odd.json("/object_info/NuggyLoader")["NuggyLoader"]["input"]["required"]["weights"][1]["options"]
    assert asked[0] == DEFAULT
    listed = sorted(n for n in asked[1:] if not n.startswith("rembg/"))
    assert listed == ["evil.pth", "mine/own.safetensors", "other.safetensors", "page.safetensors",
                      "truncated.safetensors"]  # fmt: skip
    assert "not to be loaded" not in odd.log.read_text()
    assert b"Nuggy Loader" in odd.get("/extensions/nuggy-nodes/docs/NuggyLoader.md")


@pytest.mark.parametrize("views", ["fast", "balanced", "best"])
def test_a_model_with_the_contract_of_comfyuis_own(odd: Server, photo: np.ndarray, views: str) -> None:
    """Its link goes into Nuggy TTA Mask, and the rest of the chain follows."""
    prompt, ids = chain(odd.upload("kitten.png", photo), NuggyTTAMask={"views": views})
    model = prompt.add("StandIn")
    prompt[ids["NuggyTTAMask"]]["inputs"]["model"] = prompt.link(model)
    ran = odd.run(prompt)
    assert not ran.error, ran.error
    alpha = odd.picture(ran.outputs[ids["SaveImage"]]["images"][0])[..., 3]
    grey = photo.mean(-1)
    assert alpha.shape == photo.shape[:2]
    assert alpha[grey > 200].mean() > 127 > alpha[grey < 60].mean()


def test_weights_of_extra_model_paths_load(odd: Server, photo: np.ndarray) -> None:
    prompt, ids = chain(odd.upload("kitten.png", photo), NuggyLoader={"weights": "mine/own.safetensors"})
    ran = odd.run(prompt)
    assert not ran.error, ran.error
    assert odd.picture(ran.outputs[ids["SaveImage"]]["images"][0]).shape == (*photo.shape[:2], 4)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("truncated.safetensors", "not a whole safetensors file"),
        ("page.safetensors", "not a whole safetensors file"),
        ("other.safetensors", "not an IS-Net"),
        ("evil.pth", "refused"),
    ],
)
def test_files_that_are_no_weights(odd: Server, photo: np.ndarray, name: str, sentence: str) -> None:
    prompt, ids = chain(odd.upload("kitten.png", photo), NuggyLoader={"weights": name})
    ran = odd.run(prompt)
    assert ran.error and ran.error["node_id"] == ids["NuggyLoader"]
    assert sentence in ran.error["exception_message"] and name in ran.error["exception_message"]
    assert not [p for p in (odd.base, REPOSITORY, Path.cwd()) for p in p.glob("pwned")]


SHAPES = {"pixel": (1, 1), "row": (1, 480), "strided": (240, 109)}


@pytest.mark.parametrize("kind", ["half", "bfloat16", "double", "grey", "rgba", "pixel", "row", "strided", "loud"])
def test_pictures_of_every_kind(odd: Server, photo: np.ndarray, kind: str) -> None:
    """Through all five nodes; the mask's own kind (boolean) through the three that take any mask."""
    p = Prompt()
    made = p.add("OddPicture", image=p.add("LoadImage", image=odd.upload("kitten.png", photo)), which=kind)
    ids = extend(p, made)
    refined = p.add("GuidedFilterRefine", image=made, mask=(made, 1))
    composite = p.add("NuggyComposite", image=made, mask=p.add("IslandRemove", mask=refined), background=made)
    save = p.add("SaveImage", images=composite, filename_prefix="odd")
    ran = odd.run(p)
    assert not ran.error, ran.error
    shape = SHAPES.get(kind, photo.shape[:2])
    assert odd.picture(ran.outputs[ids["SaveImage"]]["images"][0]).shape == (*shape, 4)
    assert odd.picture(ran.outputs[save]["images"][0]).shape == (*shape, 3)


@pytest.mark.parametrize(("kind", "sentence"), [("nan", "NaN or infinite; repair the node"), ("empty", "is empty")])
def test_pictures_that_are_none(odd: Server, photo: np.ndarray, kind: str, sentence: str) -> None:
    p = Prompt()
    made = p.add("OddPicture", image=p.add("LoadImage", image=odd.upload("kitten.png", photo)), which=kind)
    extend(p, made)
    ran = odd.run(p)
    assert ran.error and ran.error["kind"] == "execution_error" and sentence in ran.error["exception_message"]


def test_prompt_stored_before_an_input_existed(odd: Server, photo: np.ndarray) -> None:
    prompt, ids = chain(odd.upload("kitten.png", photo))
    expected = odd.run(prompt)
    del prompt[ids["GuidedFilterRefine"]]["inputs"]["passes"]
    ran = odd.run(prompt)
    assert not ran.error, ran.error
    first, second = (r.outputs[ids["SaveImage"]]["images"][0] for r in (expected, ran))
    assert np.array_equal(odd.picture(first), odd.picture(second))


def test_pack_without_its_weights_says_so(tmp_path: Path, photo: np.ndarray) -> None:
    """A clone that broke off: the server starts, the nodes are there, and the loader says what is missing."""
    bare = tmp_path / "base" / "custom_nodes" / "nuggy"
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, text=True)
    for name in listed.splitlines():
        if not name.endswith(".safetensors") and (REPOSITORY / name).is_file():
            (bare / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, bare / name)
    root = os.environ.get("NUGGY_COMFYUI")
    running = Server(install.server(), tmp_path / "base", Path(root) if root else None)
    try:
        prompt, ids = chain(running.upload("kitten.png", photo))
        ran = running.run(prompt)
        assert ran.error and ran.error["node_id"] == ids["NuggyLoader"]
        said = ran.error["exception_message"]
        assert DEFAULT in said and str(bare / "weights") in said and "reinstall" in said
    finally:
        running.stop()
