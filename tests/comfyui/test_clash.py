"""Beside another pack that has the node id `Composite`: whichever is loaded first, both work."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from . import install
from .prompts import Prompt
from .server import REPOSITORY, Server

OTHER = """
class Theirs:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",)}}
    RETURN_TYPES, FUNCTION, CATEGORY = ("IMAGE",), "run", "theirs"
    def run(self, image):
        return (1 - image,)

NODE_CLASS_MAPPINGS = {"Composite": Theirs}
"""
ORDER = """
import os
_listdir = os.listdir
os.listdir = lambda *a: sorted(_listdir(*a), reverse={reverse})
"""


@pytest.mark.parametrize("ours_first", [True, False])
def test_both_packs_work(tmp_path: Path, photo: np.ndarray, ours_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    packs = tmp_path / "base" / "custom_nodes"
    packs.mkdir(parents=True)
    (packs / "another").mkdir()
    (packs / "another" / "__init__.py").write_text(OTHER)
    (packs / "nuggy").symlink_to(REPOSITORY)
    (tmp_path / "sitecustomize.py").write_text(ORDER.format(reverse=ours_first))  # ComfyUI loads in os.listdir's order
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    root = os.environ.get("NUGGY_COMFYUI")
    running = Server(install.server(), tmp_path / "base", Path(root) if root else None)
    try:
        p = Prompt()
        image = p.add("LoadImage", image=running.upload("kitten.png", photo))
        mask = p.add("ImageToMask", image=image, channel="red")
        saves = [p.add("SaveImage", images=p.add(kind, **more), filename_prefix=kind)
                 for kind, more in (("Composite", {"image": image}),
                                    ("NuggyComposite", {"image": image, "mask": mask, "colour": "#000000",
                                                        "fit": "cover", "foreground": "none"}))]  # fmt: skip
        ran = running.run(p)
        assert not ran.error, ran.error
        theirs, ours = (running.picture(ran.outputs[s]["images"][0]) for s in saves)
        off = np.abs(theirs.astype(int) - (255 - photo)).max()
        assert off <= 1 and ours.shape == photo.shape and ours.mean() < photo.mean()
        assert running.json("/object_info/Composite")["Composite"]["display_name"] in (None, "", "Composite")
    finally:
        running.stop()
