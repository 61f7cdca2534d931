"""Weights for the loader: the pack's own, and what lies in ComfyUI's models/nuggy and its extra_model_paths."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ..core.network.find import rembg_folder
from ..core.network.weights import DEFAULT_NAME, SUFFIXES, default_path

FOLDER = "nuggy"
CORE, REMBG = "background_removal", "rembg"  # ComfyUI's own category, and what rembg has downloaded


def register() -> None:
    """Make `nuggy` a category of models. ComfyUI would list every file in it; only weights shall be listed."""
    folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER), is_default=True)
    folders, _ = folder_paths.folder_names_and_paths[FOLDER]
    folder_paths.folder_names_and_paths[FOLDER] = (folders, set(SUFFIXES))


def names() -> list[str]:
    """What the loader offers; first the default, which needs no download."""
    try:
        found = folder_paths.get_filename_list(FOLDER)
    except KeyError:  # asked before register()
        found = []
    try:
        core = [f"{CORE}/{n}" for n in folder_paths.get_filename_list(CORE)]
    except KeyError:  # a ComfyUI before 0.32
        core = []
    try:
        rembg = [f"{REMBG}/{p.name}" for p in sorted(rembg_folder().glob("*.onnx"))]
    except (OSError, RuntimeError):
        rembg = []
    return [DEFAULT_NAME, *(n for n in found if n != DEFAULT_NAME), *core, *rembg]


def resolve(name: str) -> Path | None:
    """The file of an offered name.

    Args:
        name: one of `names`.

    Returns:
        Its path; None for the default weights, whose checksum the core looks at.
    """
    if name == DEFAULT_NAME:
        default_path()  # says where it looked if it is missing
        return None
    if name.startswith(f"{REMBG}/") and name in names():
        return rembg_folder() / name.removeprefix(f"{REMBG}/")
    if name.startswith(f"{CORE}/"):
        return Path(folder_paths.get_full_path_or_raise(CORE, name.removeprefix(f"{CORE}/")))
    return Path(folder_paths.get_full_path_or_raise(FOLDER, name))
