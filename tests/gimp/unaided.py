"""The plug-in's zip alone, unpacked into a GIMP that never heard of Nuggy: what it says, what it finds, its set-up.

pytest tests/gimp/unaided.py      # packs wheels of Nuggy and all that it needs, for a set-up without the network
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pictures import bytes_of, cat, oracle
from PIL import Image
from rig import PATIENCE, REPOSITORY, Gimp, Root, Screen

from nuggy_nodes.bridge import folder
from nuggy_nodes.bridge.launch import Launch

TITLE = "^Remove Background$"
TRY = "img = load(path); s = call(img, recipe='fast'); m = img.get_layers()[0].get_mask(); result = [*s[:2], m is None]"


@pytest.fixture(scope="module")
def root() -> Iterator[Root]:
    """A Debian root with GIMP, the zip unpacked in its plug-ins and nothing else."""
    made = Root(os.environ.get("NUGGY_GIMP_SUITE", "trixie"))
    try:
        path = made.work / "plugin.zip"
        folder.archive(path)
        with zipfile.ZipFile(path) as z:
            for entry in z.infolist():
                out = Path(z.extract(entry, made.config / "plug-ins"))
                out.chmod(entry.external_attr >> 16 & 0o777)  # as unzip and file managers do
        Image.fromarray(cat()).save(made.work / "cat.png")
        yield made
    finally:
        made.end_worker()
        made.remove()


@pytest.fixture
def gimp(root: Root) -> Iterator[Gimp]:
    session = Gimp(root)
    try:
        yield session
    finally:
        session.close()


@pytest.fixture
def alone(root: Root) -> Iterator[None]:
    """Afterwards nothing is written down, and no worker runs."""
    yield
    root.end_worker()
    root.settings.unlink(missing_ok=True)


def test_without_any_nuggy_a_script_is_told(root: Root, gimp: Gimp, alone: None) -> None:
    status, text, untouched = gimp(TRY, path=str(root.work / "cat.png"))
    assert status == "execution-error" and untouched
    assert "No Python with Nuggy was found" in text and "Set up..." in text and "nuggy gimp install" in text
    assert not root.settings.exists() and not (root.home / ".local/share/nuggy").exists()


@pytest.mark.parametrize("way", ["path", "uv", "comfyui", "card"])
def test_a_nuggy_is_found(root: Root, gimp: Gimp, alone: None, way: str, tmp_path: Path) -> None:
    """By `nuggy` on the shell's path, uv's folder of tools, ComfyUI's folder, and another GIMP's card."""
    home, python = root.home, Path(sys.executable)
    made: list[Path] = []

    def link(at: Path, to: Path) -> None:
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to(to)
        made.append(at)

    folder_of = ""
    if way == "path":
        link(home / ".local/bin/nuggy", Path(sys.prefix) / "bin" / "nuggy")
    elif way == "uv":
        link(home / ".local/share/uv/tools/nuggy-nodes", Path(sys.prefix))
        python = home / ".local/share/uv/tools/nuggy-nodes/bin/python"
    elif way == "comfyui":
        link(home / "ComfyUI/.venv", Path(sys.prefix))
        link(home / "ComfyUI/custom_nodes/nuggy", REPOSITORY)
        python, folder_of = home / "ComfyUI/.venv/bin/python", str(home / "ComfyUI/custom_nodes/nuggy")
    else:
        card = root.config.parent / "3.9/plug-ins/nuggy/worker.json"
        card.parent.mkdir(parents=True)
        Launch(sys.executable, str(REPOSITORY)).write(card)
        made.append(card)
        folder_of = str(REPOSITORY)
    try:
        status, text, untouched = gimp(TRY, path=str(root.work / "cat.png"))
        assert (status, untouched) == ("success", False), text
        written = Launch.read(root.settings)
        assert (written.folder, os.path.dirname(written.python)) == (folder_of, str(python.parent))
    finally:
        for path in made:
            path.unlink()


@pytest.fixture(scope="module")
def wheels(root: Root) -> Path:
    """Nuggy and all that it needs as wheels, in the versions that the tests run with."""
    out = root.work / "wheels"
    if os.environ.get("NUGGY_WHEELS"):  # made before, to run this again and again
        return Path(shutil.copytree(os.environ["NUGGY_WHEELS"], out))
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "-c", "constraints.txt", "-w", str(out), "."],
                   cwd=REPOSITORY, check=True)  # fmt: skip
    return out


def test_set_up_by_clicks_and_the_first_mask(root: Root, screen: Screen, wheels: Path, alone: None) -> None:
    """The dialog says that none is there; Set up... makes a Python, is cancelled without a trace, then makes it, and
    the mask is the core's; that Python broken, Repair... makes it anew."""
    path = str(root.work / "cat.png")
    env = {"PATH": f"/usr/bin:/bin:{sys.base_prefix}/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    own = root.home / ".local/share/nuggy/python"
    gimp = Gimp(root, screen.display, env)

    def wait_for(what: Callable[[], object]) -> None:
        until = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < until, gimp.words()
            time.sleep(0.2)

    def begin() -> tuple[int, str]:
        call = gimp.begin("import inside; result = call(inside.image, recipe='fast', mode='INTERACTIVE')")
        window = screen.window(TITLE)
        screen.run("xdotool", "windowsize", "--sync", window, "1080", "700")
        time.sleep(2)
        return call, window

    try:
        gimp("import inside; inside.image = load(path); Gimp.Display.new(inside.image)", path=path)
        call, window = begin()
        screen.shot("unaided-dialog", window)
        screen.key(window, "space")  # the button has the focus
        asked = screen.window("^Set Up Nuggy$")
        time.sleep(1)
        screen.shot("unaided-ask", asked)
        assert not own.exists(), "nothing is made before the click that says so"
        screen.key(asked, "Return")
        wait_for((own / "lib").is_dir)
        screen.shot("unaided-working", asked)
        screen.key(asked, "Escape")
        screen.gone("^Set Up Nuggy$")
        assert not own.exists() and not root.settings.exists()
        screen.key(window, "space")  # the button has the focus
        asked = screen.window("^Set Up Nuggy$")
        time.sleep(1)
        screen.key(asked, "Return")
        wait_for(lambda: any(own.glob("lib/python*/site-packages/torch")))
        screen.shot("unaided-log", asked)
        screen.gone("^Set Up Nuggy$", PATIENCE)
        assert Launch.read(root.settings) == Launch(str(own / "bin/python"))
        wait_for(lambda: "preview fast ends" in root.place.last_words(1000))
        time.sleep(2)
        screen.shot("unaided-preview", window)
        screen.key(window, "alt+o")
        assert gimp.finish(call)[:2] == ["success", "success"]
        gimp("import inside; mask_of(inside.image.get_layers()[0], out)", out=str(root.work / "mask.raw"))
        time.sleep(1)
        screen.shot("unaided-mask")
        root.end_worker()
        shutil.rmtree(next(own.glob("lib/python*/site-packages/nuggy_nodes")))
        call, window = begin()
        wait_for(lambda: "No module named" in root.place.last_words(20))
        time.sleep(2)
        screen.shot("unaided-broken", window)
        screen.key(window, "space")
        screen.key(screen.window("^Set Up Nuggy$"), "Return")
        screen.gone("^Set Up Nuggy$", PATIENCE)
        screen.key(window, "alt+o")
        assert gimp.finish(call)[:2] == ["success", "success"]
    finally:
        gimp.close()
    found = np.fromfile(root.work / "mask.raw", np.uint8).reshape(240, 300)
    assert np.abs(found - bytes_of(oracle(cat()))).max() <= 1
