"""The pack as the registry's own checker sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np

from . import install
from .prompts import chain
from .server import REPOSITORY, Server


def copied(folder: Path) -> Path:
    """The tracked files of the repository, elsewhere: the checker writes beside what it checks."""
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, text=True)
    for name in listed.splitlines():
        target = folder / "nuggy" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target)
    return folder / "nuggy"


def comfy(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOME": str(at.parent), "NO_COLOR": "1", "COLUMNS": "200", "DO_NOT_TRACK": "1"}
    command = [str(install.comfy_cli()), "--skip-prompt", "--no-enable-telemetry", *arguments]
    return subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, timeout=300)


def test_validate_has_no_warning(tmp_path: Path) -> None:
    done = comfy("node", "validate", at=copied(tmp_path))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "warning" not in said.lower() and "error" not in said.lower(), said
    print(said)


def test_package_holds_what_the_nodes_need_and_runs(tmp_path: Path, photo: np.ndarray) -> None:
    pack = copied(tmp_path)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=pack, check=True)
    done = comfy("node", "pack", at=pack)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = pack.glob("*.zip")
    names = set(zipfile.ZipFile(made).namelist())
    for needed in ("__init__.py", "nuggy_nodes/nodes/__init__.py", "locales/en/nodeDefs.json", "pyproject.toml",
                   "web/docs/NuggyComposite.md", "weights/isnet-general-use-8bit.safetensors"):  # fmt: skip
        assert needed in names, needed
    tops = {n.split("/")[0] for n in names} | {
        "/".join(n.split("/")[:2]) for n in names if n.startswith("nuggy_nodes/")
    }
    assert tops == {
        "__init__.py", "nuggy_nodes", "nuggy_nodes/__init__.py", "nuggy_nodes/core", "nuggy_nodes/nodes",
        "nuggy_nodes/py.typed", "locales", "web", "weights", "example_workflows", "subgraphs", "pyproject.toml",
        "requirements.txt", "README.md", "CHANGELOG.md", "LICENSE",
    } | tops & {".comfyignore", ".gitignore", ".gitattributes", ".pre-commit-config.yaml"}  # fmt: skip
    assert made.stat().st_size < 45_000_000
    print(f"{made.stat().st_size / 1e6:.1f} MB in {len(names)} files")
    run_as_a_pack(made, tmp_path / "base", photo)


def run_as_a_pack(package: Path, base: Path, photo: np.ndarray) -> None:
    """What was packed, and nothing else, in a ComfyUI."""
    zipfile.ZipFile(package).extractall(base / "custom_nodes" / "nuggy-nodes")
    root = os.environ.get("NUGGY_COMFYUI")
    running = Server(install.server(), base, Path(root) if root else None, link=False)
    try:
        prompt, ids = chain(running.upload("kitten.png", photo))
        ran = running.run(prompt)
        assert not ran.error, ran.error
        assert running.picture(ran.outputs[ids["SaveImage"]]["images"][0]).shape == (*photo.shape[:2], 4)
    finally:
        running.stop()
