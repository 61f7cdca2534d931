"""Pythons that look usable and are not: behind a Flatpak's or a Snap's wall, or the Microsoft Store's.

Standard library only; the plug-in asks it from inside, `nuggy gimp install` from outside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

FLATPAK, SNAP, STORE = "flatpak", "snap", "store"
SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/app/")
INFO = "/.flatpak-info"  # Flatpak puts it into every sandbox


def sandbox(environ: Mapping[str, str] | None = None, info: str = INFO) -> str:
    """FLATPAK or SNAP if this process runs in one, else ""."""
    env = os.environ if environ is None else environ
    if env.get("FLATPAK_ID") or os.path.exists(info):
        return FLATPAK
    return SNAP if env.get("SNAP") and env.get("SNAP_NAME") else ""


def leads_to(python: str) -> list[str]:
    """The files that an interpreter needs to start: itself, what it links to, step by step, and what its virtual
    environment was made of."""
    found = [os.path.abspath(python)]
    for _ in range(20):  # links of links
        at = found[-1]
        if not os.path.islink(at):
            break
        found.append(os.path.normpath(os.path.join(os.path.dirname(at), os.readlink(at))))
    found.append(os.path.realpath(python))
    for folder in (Path(found[0]).parents[1], Path(found[0]).parent):
        try:
            text = (folder / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        home = re.search(r"^home\s*=\s*(.+?)\s*$", text, re.M)
        if home:
            found.append(os.path.join(home[1], os.path.basename(found[0])))
    return list(dict.fromkeys(found))


def from_system(python: str) -> str:
    """The first file that it leads to in a folder of the system, which a Flatpak's GIMP sees as another; "" if none."""
    return next((p for p in leads_to(python) if p.startswith(SYSTEM)), "")


def from_store(python: str) -> bool:
    """Whether it is, or was made of, the Microsoft Store's Python. Windows keeps what that writes to AppData in a
    folder of its own, so GIMP sees neither a plug-in that it installs nor the worker that it runs."""
    return any("windowsapps" in re.split(r"[\\/]", p.lower()) for p in leads_to(python))
