"""Putting the plug-in into GIMP's configuration folders, looking at it there, and taking it out again.

What is written is one folder, `plug-ins/nuggy`, with a manifest of its files. Only a folder with that manifest is ever
replaced or removed, a symbolic link is never followed below `plug-ins`, and files that are not in the manifest stay.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..core.errors import NuggyError
from . import confined, find
from .folder import MANIFEST, NAME, FolderError, contents, manifest_of
from .launch import SETTINGS, Launch

FLATPAK = "org.gimp.GIMP"


class InstallError(NuggyError):
    """The plug-in cannot be put there, or taken from there."""


@dataclass(frozen=True)
class Configuration:
    """A GIMP 3 configuration folder, such as ~/.config/GIMP/3.0."""

    folder: Path
    flatpak: bool = False
    snap: bool = False

    @property
    def target(self) -> Path:
        return self.folder / "plug-ins" / NAME

    @property
    def runtime(self) -> str:
        """Where plug-in and worker meet, if not in the user's runtime folder: a Flatpak has one of its own, which the
        outside does not see; its cache folder in the home folder is the same inside and outside."""
        return str(self.folder.parents[2] / "cache" / NAME) if self.flatpak else ""

    def __str__(self) -> str:
        return f"{self.folder}{' (Flatpak)' if self.flatpak else ' (Snap)' if self.snap else ''}"


def configurations(
    environ: Mapping[str, str] | None = None, home: Path | None = None, platform: str = sys.platform
) -> list[Configuration]:
    """Every GIMP 3 configuration that exists here, GIMP's own variable GIMP3_DIRECTORY first."""
    env = os.environ if environ is None else environ
    home = home or Path.home()
    found: list[Configuration] = []
    if env.get("GIMP3_DIRECTORY"):
        found.append(Configuration(Path(env["GIMP3_DIRECTORY"])))
    if platform == "win32":
        parents = [(Path(env.get("APPDATA") or home / "AppData" / "Roaming", "GIMP"), "")]
    elif platform == "darwin":
        parents = [(home / "Library" / "Application Support" / "GIMP", "")]
    else:
        parents = [
            (Path(env.get("XDG_CONFIG_HOME") or home / ".config", "GIMP"), ""),
            (home / ".var" / "app" / FLATPAK / "config" / "GIMP", confined.FLATPAK),
            (home / "snap" / "gimp" / "current" / ".config" / "GIMP", confined.SNAP),
        ]
    for parent, wall in parents:
        if parent.is_dir():
            names = sorted(p.name for p in parent.iterdir() if re.fullmatch(r"3\.\d{1,3}", p.name) and p.is_dir())
            kind = {"flatpak": wall == confined.FLATPAK, "snap": wall == confined.SNAP}
            found += [Configuration(parent / n, **kind) for n in names]
    return found


def this_launch(configuration: Configuration, python: str = "", device: str = "auto") -> Launch:
    """How a worker is started with the given Python (this one if none is). Raises InstallError if it has no Nuggy.

    If that Python does not import Nuggy by itself, the repository that this runs from is recorded with it.
    """
    path = os.path.abspath(python or sys.executable)  # not resolved: a virtual environment's python is a link
    if confined.from_store(path):
        raise InstallError(
            f"{path} is the Microsoft Store's Python: Windows diverts what it writes to AppData, so GIMP would see "
            "neither the plug-in nor the worker. Use python.org's or uv's Python, or unzip nuggy-gimp-VERSION.zip "
            "into GIMP's plug-ins and choose Set up... in the filter"
        )
    first = ""
    for folder in ("", str(Path(__file__).resolve().parents[2])):
        wrong = find.trouble(path, folder)
        if not wrong:
            return Launch(path, folder, configuration.runtime, device=device)
        first = first or wrong
        if wrong.startswith("cannot"):
            break
    raise InstallError(f"{path} {first}; give a Python that has, or install Nuggy with it")


def install(configuration: Configuration, launch: Launch) -> int:
    """Write the plug-in's folder, whole or not at all; returns the number of files. Raises InstallError."""
    target = configuration.target
    _check(target, configuration)
    try:
        files = contents()
    except FolderError as e:
        raise InstallError(str(e)) from None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".nuggy-", dir=target.parent))
        try:
            for name, data in files.items():
                path = fresh / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            launch.write(fresh / SETTINGS)
            names = [*files, SETTINGS, MANIFEST]
            (fresh / MANIFEST).write_bytes(manifest_of(files))
            os.chmod(fresh, 0o755)
            os.chmod(fresh / "nuggy.py", 0o755)
            remove(configuration)
            if target.exists():  # files that somebody else put there
                for name in names:
                    (target / name).parent.mkdir(parents=True, exist_ok=True)
                    os.replace(fresh / name, target / name)
            else:
                os.replace(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as e:
        raise InstallError(f"{target} cannot be written: {e.strerror or e}") from None
    return len(names)


def remove(configuration: Configuration) -> list[str]:
    """Take out what was installed. Returns what stays, because it is not ours. Raises InstallError."""
    target = configuration.target
    _check(target, configuration)
    if target.is_symlink():
        target.unlink()
        return []
    if not target.exists():
        return []
    try:
        for name in manifest(target):
            path = target / name
            if path.parent.resolve() == target.resolve() / PurePosixPath(name).parent:  # no link on the way
                path.unlink(missing_ok=True)
        for cache in target.rglob("__pycache__"):
            if not cache.is_symlink():
                shutil.rmtree(cache, ignore_errors=True)
        for folder, _, _ in os.walk(target, topdown=False):
            if not os.path.islink(folder) and not os.listdir(folder):
                os.rmdir(folder)
    except OSError as e:
        raise InstallError(f"{target} cannot be removed: {e.strerror or e}") from None
    return sorted(p.relative_to(target).as_posix() for p in target.rglob("*")) if target.exists() else []


def manifest(target: Path) -> list[str]:
    """The files that an installation has written. Raises InstallError if a name leads out of the folder."""
    try:
        names = json.loads((target / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise InstallError(f"{target / MANIFEST} cannot be read ({e}); remove {target} yourself") from None
    for name in names if isinstance(names, list) else [names]:
        path = PurePosixPath(name) if isinstance(name, str) else None
        if path is None or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
            raise InstallError(f"{target / MANIFEST} lists {name!r}, which is not in the folder; remove it yourself")
    return list(names)


def _check(target: Path, configuration: Configuration) -> None:
    """Refuse a configuration that is none, and a folder of our name that is somebody else's."""
    if not configuration.folder.is_dir():
        raise InstallError(f"{configuration.folder} is not a folder; start this GIMP once, or name its configuration")
    if target.is_symlink():  # a developer's link to the repository: the link is ours to replace, its target is not
        return
    if target.exists() and not (target / MANIFEST).is_file():
        raise InstallError(f"{target} exists and was not made by `nuggy gimp install`; move it away first")


def differences(configuration: Configuration) -> list[str]:
    """What is wrong with an installed folder: files missing or of another version. Empty if all is well."""
    target = configuration.target
    if not (target / MANIFEST).is_file():
        return ["not installed"]
    wrong = []
    for name, data in contents().items():
        path = target / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
        elif path.read_bytes() != data:
            wrong.append(f"{name} is of another version")
    if os.name == "posix" and (target / "nuggy.py").is_file() and not os.access(target / "nuggy.py", os.X_OK):
        wrong.append("nuggy.py is not executable, so GIMP does not see it")
    return wrong
