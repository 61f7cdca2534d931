"""What the plug-in's folder holds, and that folder as a zip for GIMP's `plug-ins`. Standard library only.

It is the same folder however it comes there: `nuggy gimp install` writes it (install.py), or it is unzipped by hand.
Its manifest says which files are Nuggy's, so that each way replaces and removes what the other has put there.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from .. import __version__
from .launch import SETTINGS

NAME = "nuggy"
MAIN = "nuggy.py"  # what GIMP starts; it must be executable
MANIFEST = "installed.json"
BRIDGE = "nuggy_bridge"  # the package of the files that the plug-in shares with the worker
SHARED = (
    "protocol", "job", "peer", "lock", "place", "process_state", "launch", "wire", "call", "client",
    "confined", "find", "bases", "make",
)  # fmt: skip
SUFFIXES = (".py", ".mo", ".html", ".xml", ".json")
NOT_SHIPPED = (SETTINGS,)  # which Python serves a folder is written where it is used
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip


class FolderError(Exception):
    """The plug-in's own files are not there."""


def contents() -> dict[str, bytes]:
    """The folder's files but for its manifest: path with forward slashes -> content. Raises FolderError."""
    files = {}
    source = _source()
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in SUFFIXES and path.name not in NOT_SHIPPED:
            files[path.relative_to(source).as_posix()] = path.read_bytes()
    here = Path(__file__).parent
    note = f'"""Copied from nuggy_nodes/bridge."""\n\n__version__ = "{__version__}"\n'
    files[f"{BRIDGE}/__init__.py"] = note.encode()
    for name in SHARED:
        files[f"{BRIDGE}/{name}.py"] = (here / f"{name}.py").read_bytes()
    return files


def manifest_of(files: dict[str, bytes]) -> bytes:
    """The manifest of a folder with these files, of itself and of the card that is written beside them."""
    return (json.dumps({"files": [*files, SETTINGS, MANIFEST]}, indent=1) + "\n").encode()


def archive(path: Path) -> int:
    """Write the folder as a zip, to be unpacked in `plug-ins`; returns the number of files. Raises FolderError."""
    files = contents()
    files[MANIFEST] = manifest_of(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            entry = zipfile.ZipInfo(f"{NAME}/{name}", LONG_AGO)
            entry.create_system = 3  # Unix, whose rights the next line has
            entry.external_attr = (0o100755 if name == MAIN else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(entry, data)
    return len(files)


def _source() -> Path:
    """Where the plug-in's own files lie: in the repository, or in the installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "gimp_plugin" / NAME, package / "gimp_plugin" / NAME):
        if (folder / MAIN).is_file():
            return folder
    raise FolderError(f"the plug-in's files are not in {package.parent / 'gimp_plugin'}; reinstall Nuggy")
