"""Fixtures of the tests in a real GIMP. They are not collected with the others; run them by file:

pytest tests/gimp/headless.py      # GIMP 3.0; NUGGY_GIMP_SUITE=forky for 3.2
pytest tests/gimp/windowed.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from rig import Gimp, Root, Screen


@pytest.fixture(scope="session")
def root() -> Iterator[Root]:
    """The Debian root with the plug-in installed by `nuggy gimp install`, and no worker running."""
    made = Root(os.environ.get("NUGGY_GIMP_SUITE", "trixie"))
    try:
        done = made.nuggy("gimp", "install")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "its worker answers" in done.stdout
        made.end_worker()  # the plug-in shall start its own, inside
        yield made
    finally:
        made.end_worker()
        made.remove()


@pytest.fixture(scope="module")
def gimp(root: Root) -> Iterator[Gimp]:
    """A GIMP without a window."""
    session = Gimp(root)
    try:
        yield session
    finally:
        session.close()


@pytest.fixture(scope="module")
def screen(root: Root) -> Iterator[Screen]:
    """A virtual screen."""
    made = Screen(root)
    try:
        yield made
    finally:
        made.close()
