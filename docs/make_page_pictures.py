"""Draws docs/page-*.jpg anew from the page itself: python docs/make_page_pictures.py [FOLDER]

Needs the extra `demo`, playwright, a Chromium.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests_real.web.place import FLAGS, browser, listening  # noqa: E402
from tests_real.web.tab import Tab  # noqa: E402


def shot(tab: Tab, path: Path) -> None:
    Image.open(io.BytesIO(tab.page.screenshot())).convert("RGB").save(path, quality=80, optimize=True)
    print(path, path.stat().st_size)


def main(folder: Path) -> None:
    kitten = ROOT / "samples" / "kitten-on-lawn.jpg"
    with (
        tempfile.TemporaryDirectory() as temporary,
        sync_playwright() as p,
        listening("demo", "--no-browser", log=Path(temporary) / "log") as demo,
    ):
        chromium = p.chromium.launch(executable_path=browser(), args=FLAGS)
        tab = Tab(chromium, demo.url, viewport={"width": 1280, "height": 900})
        tab.upload(kitten)
        tab.result()
        tab.expand("Expert mode")
        tab.settle()
        shot(tab, folder / "page-desktop.jpg")
        tab.expand("Correct")
        tab.settle()
        canvas = tab.page.locator("canvas").last
        tab.paint(canvas, (0.42, 0.72), (0.55, 0.8))
        shot(tab, folder / "page-correct.jpg")
        tab.close()
        tab = Tab(chromium, demo.url, viewport={"width": 390, "height": 844}, locale="ko-KR", color_scheme="dark")
        tab.upload(kitten)
        tab.result()
        tab.settle()
        shot(tab, folder / "page-phone.jpg")
        tab.close()
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs")
