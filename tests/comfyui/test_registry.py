"""The pack as the registry's own checker sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

from . import install
from .server import REPOSITORY


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


def test_package_holds_what_the_nodes_need(tmp_path: Path) -> None:
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
