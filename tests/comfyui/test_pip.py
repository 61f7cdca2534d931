"""What `pip install -r requirements.txt` does to another installation: nothing, whichever OpenCV is there, or none."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

from . import install
from .server import REPOSITORY

BESIDE = {
    "contrib": ("opencv-contrib-python-headless", "from cv2.ximgproc import guidedFilter"),
    "headless": ("opencv-python-headless", "import cv2; cv2.boxFilter"),
    "none": ("numpy", "import importlib.util as u; assert u.find_spec('cv2') is None"),
}


@pytest.mark.parametrize("which", list(BESIDE))
def test_installing_changes_nothing(tmp_path: Path, which: str) -> None:
    package, still_works = BESIDE[which]
    venv.create(tmp_path / "venv", with_pip=True)
    python = install.python(tmp_path)
    pip = [str(python), "-m", "pip", "--no-input", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", package], check=True)
    before = subprocess.check_output([*pip, "list"], text=True)
    subprocess.run([*pip, "install", "-q", "-r", str(REPOSITORY / "requirements.txt")], check=True)
    assert subprocess.check_output([*pip, "list"], text=True) == before
    subprocess.run([str(python), "-c", still_works], check=True)


def test_what_the_registrys_client_installs_from() -> None:
    """It takes requirements.txt where there is one, and pyproject.toml, which asks for OpenCV, only where not."""
    code = f"from comfy_cli.uv import DependencyCompiler as D; found = D.Find_Req_Files({str(REPOSITORY)!r})\n"
    code += "print([p.name for p in found])"
    python = install.comfy_cli().with_name("python")
    assert subprocess.check_output([str(python), "-c", code], text=True).strip() == "['requirements.txt']"
