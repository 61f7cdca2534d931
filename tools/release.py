"""A release's notes, from CHANGELOG.md, and whether all that names its version agrees.

python tools/release.py           # notes of the version in nuggy_nodes/__init__.py, on standard output
python tools/release.py v0.2.0    # the same; exit status 1 where the tag is another version's
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """The package's version, read without importing it."""
    text = (ROOT / "nuggy_nodes" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.M)
    if not found:
        raise SystemExit("nuggy_nodes/__init__.py has no __version__")
    return found[1]


def notes(which: str) -> str:
    """The section of CHANGELOG.md of a version. Raises SystemExit where there is none, or it is not finished."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        if title.split(",")[0].split(" ")[0] == which:
            if "preparation" in title:
                raise SystemExit(f"CHANGELOG.md: {title!r} is still in preparation")
            return body.strip() + "\n"
    raise SystemExit(f"CHANGELOG.md has no section ## {which}")


def main() -> int:
    mine = version()
    asked = sys.argv[1].removeprefix("v") if len(sys.argv) > 1 else mine
    if asked != mine:
        print(f"the tag is {asked}'s, the package is {mine}", file=sys.stderr)
        return 1
    print(notes(mine), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
