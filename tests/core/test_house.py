"""The rooms of the house: who imports whom, and how long a file is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nuggy_nodes

PACKAGE = Path(nuggy_nodes.__file__).parent
ROOT = Path(__file__).parents[2]
CORE = PACKAGE / "core"
ROOMS = ("network", "segment", "refine", "foreground", "inpaint", "ops")
ALLOWED = {
    ("segment", "network"), ("segment", "ops"), ("network", "ops"), ("refine", "ops"), ("foreground", "ops"),
    ("inpaint", "ops"), ("inpaint", "foreground"),
}  # fmt: skip
WORDS = {"errors", "checks", "settings", "recipes", "shipped", "work"}  # what every room may say


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, by dotted name below nuggy_nodes."""
    package = ["nuggy_nodes", *path.relative_to(PACKAGE).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            found |= {".".join([*base, a.name])[len("nuggy_nodes.") :] for a in node.names}
    return found


def test_rooms_lean_on_each_other_as_planned():
    relations, outward = set(), set()
    for room in ROOMS:
        for path in (CORE / room).glob("*.py"):
            for name in imported(path):
                parts = name.split(".")
                if parts[0] != "core":
                    outward.add((str(path), name))
                elif len(parts) > 1 and parts[1] in ROOMS:
                    relations.add((room, parts[1]))
                elif len(parts) > 1 and parts[1] not in WORDS:
                    outward.add((str(path), name))
    relations = {(a, b) for a, b in relations if a != b}
    assert not outward
    assert relations <= ALLOWED, relations - ALLOWED
    assert len(relations) <= 8 and not {(b, a) for a, b in relations} & relations


def test_the_core_imports_no_door():
    for path in CORE.rglob("*.py"):
        assert not {n for n in imported(path) if n.split(".")[0] != "core"}, path


def test_a_file_is_read_in_one_sitting():
    for folder in (CORE, PACKAGE / "nodes"):
        for path in folder.rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 200, path


def test_every_file_of_the_core_has_its_tests_at_the_same_place():
    def named(root: Path, prefix: str = "") -> set[str]:
        found = {p.relative_to(root) for p in root.rglob(f"{prefix}*.py") if p.name != "__init__.py"}
        return {str(p.with_name(p.name.removeprefix(prefix))) for p in found}

    assert not named(CORE) - named(Path(__file__).parent, "test_")


@pytest.mark.parametrize("tool", ["texts.py", "api.py", "plant_faults.py"])
def test_what_is_made_is_up_to_date(tool):
    """Texts and tables of the settings, the page of the Python door, and the faults that can be planted."""
    done = subprocess.run([sys.executable, str(ROOT / "tools" / tool), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
