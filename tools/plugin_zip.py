"""The GIMP plug-in as a zip, for a user without a terminal: `python tools/plugin_zip.py` writes
dist/nuggy-gimp-VERSION.zip, whose folder `nuggy` goes into GIMP's `plug-ins`. The standard library is enough.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nuggy_nodes import __version__  # noqa: E402
from nuggy_nodes.bridge import folder  # noqa: E402


def main() -> int:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist")
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"nuggy-gimp-{__version__}.zip"
    print(f"{path}: {folder.archive(path)} files, {path.stat().st_size >> 10} KiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
