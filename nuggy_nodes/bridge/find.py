"""Finding a Python that has Nuggy where no installer has written one down: a plug-in's folder that was copied by hand.

Looks at files alone until a candidate is tried (`trouble` starts it), so it is called when a filter is, and never when
GIMP starts. Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import protocol
from .confined import FLATPAK
from .launch import SETTINGS, Launch, WorkerError, clean_environment, isolation

TOOL = "nuggy-nodes"  # the package's name, which pipx and uv give to its folder
PATIENCE = 60.0  # seconds for a Python to start and import the worker's outside: cold disks, virus scanners
COMFY_PYTHONS = (".venv", "venv", "env", "python_embeded", "python_embedded")  # the portable one's is spelt so
PROBE = (
    "import importlib.util as u, nuggy_nodes.bridge.client as c; print(c.protocol.VERSION, bool(u.find_spec('torch')))"
)


@dataclass(frozen=True)
class Surroundings:
    """Where it is looked: this user's variables and home folder, on this platform."""

    environ: Mapping[str, str]
    home: Path
    platform: str = sys.platform

    @classmethod
    def here(cls) -> Surroundings:
        return cls(clean_environment(os.environ), Path.home())

    def folder(self, variable: str, *otherwise: str) -> Path:
        """A folder that a variable names, or one in the home folder."""
        return Path(self.environ.get(variable) or self.home.joinpath(*otherwise))

    def data(self) -> Path:
        """Where Nuggy keeps what it makes for this user: a Python of its own."""
        if self.platform == "win32":
            return self.folder("LOCALAPPDATA", "AppData", "Local") / "Nuggy"
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support" / "Nuggy"
        if self.environ.get("SNAP_USER_COMMON"):  # the same for every revision of the snap
            return Path(self.environ["SNAP_USER_COMMON"], "nuggy")
        return self.folder("XDG_DATA_HOME", ".local", "share") / "nuggy"

    def own_python(self) -> Path:
        """The environment that *Set up...* makes."""
        return self.data() / "python"


def meeting(around: Surroundings, sandbox: str) -> str:
    """Launch.runtime for a plug-in without a card: a Flatpak's cache folder is the same inside and outside."""
    return str(around.folder("XDG_CACHE_HOME", ".cache") / "nuggy") if sandbox == FLATPAK else ""


def candidates(plugin: Path, around: Surroundings) -> Iterator[Launch]:
    """Pythons that may have Nuggy, the likeliest first. plugin: the plug-in's folder."""
    seen = set()
    for python, folder in _places(plugin, around):
        if (python, folder) not in seen and os.path.isfile(python):
            seen.add((python, folder))
            yield Launch(python, folder)


def trouble(python: str, folder: str = "") -> str:
    """Why this Python cannot serve: the last thing that it says; "" where it has Nuggy, of this protocol, and torch."""
    first = f"import sys; sys.path.insert(0, {folder!r}); " if folder else ""
    try:
        done = subprocess.run(
            [python, *isolation(folder), "-c", first + PROBE],
            cwd=folder or tempfile.gettempdir(), env=clean_environment(os.environ), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=PATIENCE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"cannot be run: {e}"
    if done.returncode:
        return "has no Nuggy ({})".format((done.stderr or done.stdout).strip().rpartition("\n")[2] or done.returncode)
    version, _, torch = done.stdout.strip().partition(" ")
    if version != str(protocol.VERSION):
        return "has a Nuggy of another version"
    return "" if torch == "True" else "has no torch"


def _places(plugin: Path, around: Surroundings) -> Iterator[tuple[str, str]]:
    yield from _cards(plugin)
    yield _python(around.own_python()), ""
    for script in _scripts(around):
        yield _python(Path(os.path.realpath(script)).parents[1]), ""  # pipx's and uv's are links to the real one
    yield from ((_python(tools / TOOL), "") for tools in _tools(around))
    yield from _comfy(around)


def _cards(plugin: Path) -> Iterator[tuple[str, str]]:
    """What installers have written down for this user's other versions of GIMP."""
    if len(plugin.parents) > 2:
        for card in sorted(plugin.parents[2].glob(f"3.*/plug-ins/*/{SETTINGS}"), reverse=True):
            try:
                launch = Launch.read(card)
            except WorkerError:
                continue
            yield launch.python, launch.folder


def _scripts(around: Surroundings) -> Iterator[str]:
    """`nuggy` as a shell would find it, and where shells look and GIMP's own PATH may not."""
    more = [around.home / ".local" / "bin", Path("/usr/local/bin"), Path("/opt/homebrew/bin")]
    for path in (around.environ.get("PATH", ""), os.pathsep.join(map(str, more))):
        found = shutil.which("nuggy", path=path)
        if found:
            yield found


def _tools(around: Surroundings) -> Iterator[Path]:
    """Where pipx and uv keep the environments of tools."""
    home = around.home
    if around.environ.get("PIPX_HOME"):
        yield Path(around.environ["PIPX_HOME"], "venvs")
    if around.environ.get("UV_TOOL_DIR"):
        yield Path(around.environ["UV_TOOL_DIR"])
    share = home / ".local" / "share"
    yield from (share / "pipx" / "venvs", home / ".local" / "pipx" / "venvs", home / "pipx" / "venvs")
    yield share / "uv" / "tools"
    if around.platform == "win32":
        yield around.folder("LOCALAPPDATA", "AppData", "Local") / "pipx" / "venvs"
        yield around.folder("APPDATA", "AppData", "Roaming") / "uv" / "tools"
    elif around.platform == "darwin":
        yield home / "Library" / "Application Support" / "pipx" / "venvs"
    elif around.environ.get("XDG_DATA_HOME"):
        yield Path(around.environ["XDG_DATA_HOME"], "uv", "tools")


def _comfy(around: Surroundings) -> Iterator[tuple[str, str]]:
    """The Pythons of ComfyUI's folders that have Nuggy among their nodes, with the node pack's folder."""
    for comfy in _comfy_folders(around):
        packs = [p for p in _folders(comfy / "custom_nodes", "nuggy") if (p / "nuggy_nodes" / "__init__.py").is_file()]
        for pack in packs:
            for base in (comfy, comfy.parent):
                yield from ((_python(base / name), str(pack)) for name in COMFY_PYTHONS)


def _comfy_folders(around: Surroundings) -> Iterator[Path]:
    """ComfyUI as it is usually put: in the home folder or one of its first folders, or in /opt, itself or in a folder
    that is named after it (the portable one)."""
    roots = [
        around.home,
        *(around.home / n for n in ("Documents", "Desktop", "Downloads", "ai", "AI", "apps", "git", "src")),
    ]
    # not the drives' roots: on Windows any user of the machine may put a folder there, and what is found is started
    roots += [] if around.platform == "win32" else [Path("/opt")]
    for root in roots:
        for outer in _folders(root, "comfy"):
            for folder in (outer, *_folders(outer, "comfy")):
                if (folder / "custom_nodes").is_dir():
                    yield folder


def _folders(parent: Path, word: str) -> list[Path]:
    try:
        return sorted(p for p in parent.iterdir() if word in p.name.lower() and p.is_dir())
    except OSError:
        return []


def _python(environment: Path) -> str:
    """The interpreter of a virtual, an embedded or conda's environment; not resolved: a virtual one's is a link."""
    for name in ("bin/python", "Scripts/python.exe", "python.exe", "bin/python3"):
        if (environment / name).is_file():
            return str(environment / name)
    return str(environment / "bin" / "python")
