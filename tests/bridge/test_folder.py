"""The plug-in's zip: what is in it, and that it is the folder that the installer writes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from nuggy_nodes import __version__
from nuggy_nodes.bridge import folder, install
from nuggy_nodes.bridge.install import Configuration
from nuggy_nodes.bridge.launch import Launch

REPOSITORY = Path(__file__).resolve().parents[2]


def unpacked(tmp_path: Path) -> Configuration:
    """A configuration with the zip unpacked in its plug-ins, as a user does it."""
    configuration = Configuration(tmp_path / "GIMP" / "3.2")
    (configuration.folder / "plug-ins").mkdir(parents=True)
    done = subprocess.run([sys.executable, "-I", REPOSITORY / "tools" / "plugin_zip.py", tmp_path],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / f"nuggy-gimp-{__version__}.zip") as z:
        assert z.testzip() is None
        z.extractall(configuration.folder / "plug-ins")
        rights = {e.filename: e.external_attr >> 16 for e in z.infolist()}
    assert rights.pop("nuggy/nuggy.py") == 0o100755 and set(rights.values()) == {0o100644}
    configuration.target.joinpath("nuggy.py").chmod(0o755)
    return configuration


def test_it_is_what_the_installer_writes(tmp_path: Path) -> None:
    configuration = unpacked(tmp_path)
    assert install.differences(configuration) == []
    names = {p.relative_to(configuration.target).as_posix() for p in configuration.target.rglob("*") if p.is_file()}
    listed = json.loads((configuration.target / "installed.json").read_text())["files"]
    assert names == set(listed) - {"worker.json"} and "worker.json" in listed
    for name in ("nuggy.py", "which.py", "set_up.py", "settings.json", "nuggy_bridge/find.py", "nuggy_bridge/make.py",
                 "locale/fr/LC_MESSAGES/nuggy.mo", "help/en/index.html"):  # fmt: skip
        assert name in names
    assert not [n for n in names if n.endswith((".po", ".pyc")) or "__pycache__" in n]


def test_installer_replaces_and_removes_it(tmp_path: Path) -> None:
    configuration = unpacked(tmp_path)
    Launch(sys.executable).write(configuration.target / "worker.json")  # set up from the dialog
    assert install.install(configuration, Launch("/elsewhere/python")) and not install.differences(configuration)
    assert install.remove(configuration) == [] and not configuration.target.exists()


def test_it_imports_nothing_that_gimp_lacks(tmp_path: Path) -> None:
    """All of nuggy_bridge in a Python without any packages, and the version that set-up asks for."""
    target = unpacked(tmp_path).target
    names = ", ".join(f"nuggy_bridge.{n}" for n in folder.SHARED)
    code = f"import sys; sys.path.insert(0, {str(target)!r}); import {names}; print(nuggy_bridge.__version__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == __version__, done.stderr


def test_the_same_files_make_the_same_zip(tmp_path: Path) -> None:
    for name in "ab":
        folder.archive(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
