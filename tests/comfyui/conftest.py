"""One ComfyUI for a run of tests, and the prompts that they send."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from . import install
from .server import REPOSITORY, Server

NEWEST = "1.58.1"  # front end, of the 0.33 line; up to 1.32 the page forgets packs' translations


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = os.environ.get("NUGGY_COMFYUI")
    arguments = tuple(os.environ.get("NUGGY_COMFYUI_ARGUMENTS", "").split())
    if version := os.environ.get("NUGGY_FRONT_END"):
        arguments += ("--front-end-root", str(install.front_end(version)))
    running = Server(install.server(), tmp_path_factory.mktemp("comfyui"), Path(root) if root else None, arguments)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def newer_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same ComfyUI behind the page of the 0.33 line."""
    if os.environ.get("NUGGY_FRONT_END") == NEWEST:
        yield request.getfixturevalue("server")
        return
    root = os.environ.get("NUGGY_COMFYUI")
    arguments = ("--front-end-root", str(install.front_end(NEWEST)))
    running = Server(install.server(), tmp_path_factory.mktemp("newer"), Path(root) if root else None, arguments)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """The kitten, 480 pixels wide, 8 bits [H,W,3]."""
    with Image.open(REPOSITORY / "samples" / "kitten-on-lawn.jpg") as f:
        picture = f.convert("RGB")
    return np.asarray(picture.resize((480, round(480 * picture.height / picture.width)), Image.Resampling.LANCZOS))
