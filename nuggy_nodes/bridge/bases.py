"""What an environment for Nuggy can be made of: uv, or a Python with venv and pip. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import confined
from .find import Surroundings
from .launch import clean_environment

VERSIONS = ("3.13", "3.12", "3.11", "3.10", "3.14")  # torch comes later for the newest: it is taken last
PROBE = "import sys, venv, ensurepip; print(sys.version_info >= (3, 10))"
PATIENCE = 30.0
TORCH = "https://download.pytorch.org/whl/"  # PyTorch's own index, for builds that PyPI does not have
ASIDE = ("PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_CONFIG_FILE")  # the user's own sources


def uv(around: Surroundings) -> str:
    """Where uv is, or "" if there is none, or one too old to choose torch's build."""
    more = [
        around.home / ".local" / "bin",
        around.home / ".cargo" / "bin",
        Path("/opt/homebrew/bin"),
        Path("/usr/local/bin"),
    ]
    path = os.pathsep.join([around.environ.get("PATH", ""), *map(str, more)])
    found = shutil.which("uv", path=path) or ""
    return found if found and "--torch-backend" in _said(found, "pip", "install", "--help") else ""


def pythons(around: Surroundings, own: str) -> Iterator[str]:
    """Pythons here, the likeliest first, none of them tried. own: GIMP's, which is taken last, as the only one that is
    there inside a Flatpak, and not at all where GIMP brings it along."""
    bundled = around.platform in ("win32", "darwin")
    skipped = str(Path(own).parent) if own and bundled else ""
    seen = set()
    for found in (*_places(around), *([] if bundled else [own])):
        real = os.path.realpath(found) if found else ""
        if not real or real in seen or not os.path.isfile(real) or confined.from_store(found):
            continue
        seen.add(real)
        if not skipped or str(Path(found).parent) != skipped:
            yield found


def _said(*command: str) -> str:
    quiet: dict[str, Any] = {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0), "timeout": PATIENCE}
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", **quiet
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def usable(python: str) -> str:
    """Why an environment cannot be made of this Python, or ""."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", PROBE], env=clean_environment(os.environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=PATIENCE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2] or f"status {done.returncode}"
    return "" if done.stdout.strip() == "True" else "is older than Python 3.10"


def torch_source(around: Surroundings, machine: str) -> list[str]:
    """pip's options for the torch that this machine wants: on Linux without NVIDIA's driver the CPU build (PyPI's is
    gigabytes larger), on Windows with it the CUDA one (PyPI has none); else what PyPI has. None where the user's own
    settings say where packages come from. machine: as platform.machine()."""
    if any(around.environ.get(name) for name in ASIDE):
        return []
    if around.platform == "win32":
        return ["--index-url", TORCH + "cu126"] if nvidia(around) else []
    if around.platform.startswith("linux") and machine in ("x86_64", "AMD64") and not nvidia(around):
        return ["--index-url", TORCH + "cpu"]
    return []


def nvidia(around: Surroundings, driver: str = "/proc/driver/nvidia/version") -> bool:
    """Whether NVIDIA's driver is here."""
    return os.path.exists(driver) or bool(shutil.which("nvidia-smi", path=around.environ.get("PATH", "")))


def _places(around: Surroundings) -> Iterator[str]:
    path = os.pathsep.join([around.environ.get("PATH", ""), "/opt/homebrew/bin", "/usr/local/bin"])
    if around.platform != "win32":
        for version in VERSIONS:
            yield shutil.which(f"python{version}", path=path) or ""
        for folder in (around.home / ".pyenv" / "versions", around.home / ".local" / "share" / "uv" / "python"):
            yield from (str(p) for v in VERSIONS for p in sorted(folder.glob(f"*{v}*/bin/python3")))
        yield shutil.which("python3", path=path) or ""
        return
    programs = around.folder("LOCALAPPDATA", "AppData", "Local") / "Programs" / "Python"
    for parent in (programs, Path("C:/Program Files"), Path("C:/")):
        for version in VERSIONS:
            yield str(parent / f"Python{version.replace('.', '')}" / "python.exe")
    yield from (str(around.home / name / "python.exe") for name in ("miniconda3", "anaconda3", "miniforge3"))
    yield shutil.which("python", path=path) or ""
