"""Starting the worker: which Python, with what command, in what environment. Standard library only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .place import Place, PlaceError

SETTINGS = "worker.json"  # beside the plug-in: which Python serves it

# What GIMP, its bundles and their launchers set for themselves, and what must not reach another Python.
NOT_INHERITED = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "PYTHONUSERBASE",
    "__PYVENV_LAUNCHER__", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
    "DYLD_FRAMEWORK_PATH", "DYLD_INSERT_LIBRARIES", "GI_TYPELIB_PATH", "GIO_MODULE_DIR", "GIO_EXTRA_MODULES",
    "GDK_PIXBUF_MODULE_FILE", "GDK_PIXBUF_MODULEDIR", "GTK_PATH", "GTK_EXE_PREFIX", "GTK_DATA_PREFIX",
    "GSETTINGS_SCHEMA_DIR", "GEGL_PATH", "BABL_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "MAGICK_CODER_MODULE_PATH",
)  # fmt: skip


class WorkerError(Exception):
    """Something that the user must be told. kind: start, lost, stopped, silent (the text is the
    process id), input, memory, weights, protocol, internal, place."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind = kind


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment for another program's Python, made of GIMP's."""
    env = {k: v for k, v in environ.items() if k not in NOT_INHERITED}
    bundle = env.pop("APPDIR", "")  # an AppImage puts its own folders first
    for name in ("APPIMAGE", "ARGV0", "OWD"):
        env.pop(name, None)
    for name in ("PATH", "XDG_DATA_DIRS"):
        if bundle and name in env:
            env[name] = os.pathsep.join(d for d in env[name].split(os.pathsep) if d and not d.startswith(bundle))
    return env


def isolation(folder: str) -> list[str]:
    """Options of Python. -I keeps PYTHON* variables, the current folder and the user's packages out; a repository
    (`folder`) is the current folder, so there the two others are kept out one by one."""
    return ["-E", "-s"] if folder else ["-I"]


def run_module(python: str, folder: str, module: str = "nuggy_nodes.bridge") -> list[str]:
    """How a module is run. An embedded Python (ComfyUI's portable one) takes its path from a file alone, not from the
    current folder: there a line of code puts the repository first."""
    if not folder or not any(Path(python).parent.glob("python*._pth")):
        return ["-m", module]
    return ["-c", f"import runpy, sys; sys.path.insert(0, {folder!r}); "
                  f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"]  # fmt: skip


@dataclass(frozen=True)
class Launch:
    """How to start the worker. python: an interpreter that has Nuggy; folder: the repository that it is imported from
    where it is not installed; runtime: where to meet if not in the user's runtime folder; idle: seconds until a worker
    without work ends; device: as `nuggy cutout --device`."""

    python: str
    folder: str = ""
    runtime: str = ""
    idle: float = 300.0
    device: str = "auto"

    def command(self) -> list[str]:
        """The command line."""
        arguments = ["--folder", str(self.place().folder), "--idle", f"{self.idle:g}", "--device", self.device]
        return [self.python, *isolation(self.folder), "-u", *run_module(self.python, self.folder), *arguments]

    def place(self) -> Place:
        return Place(Path(self.runtime) if self.runtime else None)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Launch:
        """Raises WorkerError, which says how to make the file."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            launch = cls(**raw)
            text = all(isinstance(getattr(launch, n), str) for n in ("python", "folder", "runtime", "device"))
            if not text or not os.path.isabs(launch.python) or not isinstance(launch.idle, (int, float)):
                raise ValueError("a value of the wrong kind")
        except FileNotFoundError:
            raise WorkerError("start", f"{path} is missing") from None
        except (OSError, ValueError, TypeError) as e:
            raise WorkerError("start", f"{path} cannot be read: {e}") from None
        return launch


def start(launch: Launch, place: Place) -> subprocess.Popen[bytes]:
    """Start a worker that outlives this process. Raises WorkerError."""
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        place.prepare()
        with place.open_log() as log:
            return subprocess.Popen(
                launch.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=launch.folder or place.folder,
                env=clean_environment(os.environ), **options,
            )  # fmt: skip
    except PlaceError as e:
        raise WorkerError("place", str(e)) from None
    except OSError as e:
        raise WorkerError("start", f"{' '.join(launch.command())}\n{e.strerror or e}") from None
