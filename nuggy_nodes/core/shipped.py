"""Files that come with Nuggy."""

from __future__ import annotations

from pathlib import Path

from .errors import WeightsError


def shipped(name: str) -> Path:
    """A file of the repository's `weights/`, or of the installed package's.

    Args:
        name: of the file.

    Returns:
        Its path.

    Raises:
        WeightsError: it is in neither.
    """
    here = Path(__file__).resolve().parents[1]
    for folder in (here.parent / "weights", here / "weights"):
        if (folder / name).is_file():
            return folder / name
    raise WeightsError(
        f"the default weights {name} are not in {here.parent / 'weights'}; reinstall Nuggy, or make the file with "
        "`nuggy weights import` (weights/README.md has the commands)"
    )
