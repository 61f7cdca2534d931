"""`nuggy demo` as a person meets it: a real process, a real headless Chromium, the real network."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from .place import FLAGS, ROOT, browser, listening

CAT = ROOT / "samples" / "chelsea.png"
FAR = 240_000  # milliseconds, on a busy machine


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with listening("demo", "--no-browser", log=tmp_path_factory.mktemp("demo") / "log") as found:
        yield found


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as p:
        found = p.chromium.launch(executable_path=browser(), args=FLAGS)
        yield found
        found.close()


class Tab:
    """An open page; `foreign` holds what it asked of other machines."""

    def __init__(self, browser: Browser, url: str, **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(FAR)
        self.foreign: list[str] = []
        self.page.on("request", lambda r: self._seen(r.url))
        self.page.goto(url)
        self.page.wait_for_selector("[data-testid=stFileUploaderDropzone]")

    def _seen(self, url: str) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1|data:|blob:", url):
            self.foreign.append(url)

    def fast(self) -> None:
        self.page.locator("[data-testid=stRadio] label", has_text="Fast").click()

    def upload(self, *files) -> None:
        self.page.locator("input[type=file]").first.set_input_files(list(files))

    def result(self, other_than: str = "") -> str:
        """The result's picture as an address, when it is there."""
        after = self.page.locator("img.after")
        after.wait_for(state="attached")
        until = time.monotonic() + FAR / 1000
        while time.monotonic() < until:
            found = after.get_attribute("src") or ""
            if found and found != other_than:
                return found
            self.page.wait_for_timeout(50)
        raise AssertionError("no other result")

    def download(self, name: str) -> bytes:
        with self.page.expect_download() as waited:
            self.page.locator(f".st-key-get-{name} button").click()
        return open(waited.value.path(), "rb").read()


@pytest.fixture
def tab(demo, chromium):
    found = Tab(chromium, demo.url)
    yield found
    assert not found.foreign
    found.context.close()


def test_the_download_is_the_command_lines_own(tab, tmp_path):
    tab.fast()
    tab.upload(CAT)
    shown = tab.result()
    command = [sys.executable, "-m", "nuggy_nodes", "cutout", str(CAT), "-o", tmp_path, "--recipe", "fast"]
    subprocess.run([*map(str, command), "--device", "cpu"], check=True, cwd=ROOT)
    own = np.array(Image.open(tmp_path / "chelsea.png"))
    assert np.array_equal(np.array(Image.open(io.BytesIO(tab.download("png")))), own)
    mask = np.array(Image.open(io.BytesIO(tab.download("mask"))))
    assert np.array_equal(mask, own[..., 3])
    assert Image.open(io.BytesIO(tab.download("webp"))).mode == "RGBA"
    slider = tab.page.locator("input.slider")
    slider.focus()
    tab.page.keyboard.press("ArrowRight")  # by the keyboard alone
    assert slider.input_value() == "51"

    tab.page.get_by_text("Soft shadow").scroll_into_view_if_needed()
    tab.page.locator("[data-testid=stSelectbox]", has_text="Background").locator("input").click()
    tab.page.get_by_role("option", name="A colour").click()
    shown = tab.result(other_than=shown)
    jpeg = Image.open(io.BytesIO(tab.download("jpeg")))
    assert jpeg.format == "JPEG" and min(jpeg.getpixel((440, 5))) > 200  # white behind
    started = time.monotonic()
    tab.page.locator(".st-key-brand-black button").first.click()
    tab.result(other_than=shown)
    print(f"another background: {time.monotonic() - started:.2f} s")
    dark = Image.open(io.BytesIO(tab.download("jpeg")))
    assert max(dark.getpixel((440, 5))) < 60


def test_many_are_cut_out_and_come_as_a_zip(tab):
    tab.fast()
    small = Image.open(CAT).convert("RGB").resize((220, 150))
    files = []
    for i in range(3):
        out = io.BytesIO()
        small.rotate(i * 3).save(out, "PNG")
        files.append({"name": f"cat{i % 2}.png", "mimeType": "image/png", "buffer": out.getvalue()})
    tab.upload(*files)
    tab.result()
    tab.page.wait_for_function("document.querySelectorAll('.st-key-gallery img').length == 3")
    names = zipfile.ZipFile(io.BytesIO(tab.download("zip"))).namelist()
    assert sorted(names) == ["cat0-cutout-2.png", "cat0-cutout.png", "cat1-cutout.png"]


HOSTILE = {
    "text.png": (b"no picture", "not a picture"),
    "short.png": (CAT.read_bytes()[:9000], "damaged"),
    "page.svg": (b"<svg onload=alert(1)></svg>", "not a picture"),
    "pickle.jpg": (b"\x80\x04cposix\nsystem\n.", "not a picture"),
    "huge.pgm": (b"P5 60000 60000 255\n" + bytes(100), "too large"),
    "<img src=x onerror=alert(1)>.png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_said_in_words(tab, name):
    data, words = HOSTILE[name]
    tab.upload({"name": name, "mimeType": "image/png", "buffer": data})
    alert = tab.page.locator("[data-testid=stAlert]")
    alert.wait_for()
    assert words in alert.inner_text() and tab.page.locator("img[src=x]").count() == 0
    assert "Traceback" not in tab.page.inner_text("body")


def test_two_at_once_and_a_refresh_in_mid_work(demo, chromium, tab):
    other = Tab(chromium, demo.url)
    tab.upload(ROOT / "samples" / "kitten-on-lawn.jpg")
    tab.page.wait_for_timeout(500)
    tab.page.reload()
    other.fast()
    other.upload(CAT)
    other.result()
    tab.page.wait_for_selector("[data-testid=stFileUploaderDropzone]")
    tab.fast()
    tab.upload(CAT)
    tab.result()
    other.context.close()


def test_a_stroke_takes_away_what_it_covers(tab):
    tab.fast()
    tab.upload(CAT)
    before = tab.result()
    tab.page.get_by_text("Correct", exact=True).click()
    canvas = tab.page.locator("canvas").last
    canvas.wait_for()
    tab.page.get_by_role("radio", name="Drop").or_(tab.page.get_by_role("button", name="Drop")).first.click()
    tab.page.wait_for_timeout(1500)
    canvas.scroll_into_view_if_needed()
    at = canvas.bounding_box()
    tab.page.mouse.move(at["x"] + at["width"] * 0.3, at["y"] + at["height"] * 0.5)
    tab.page.mouse.down()
    tab.page.mouse.move(at["x"] + at["width"] * 0.6, at["y"] + at["height"] * 0.5, steps=8)
    tab.page.mouse.up()
    tab.page.wait_for_timeout(1500)
    tab.page.locator(".st-key-apply button").click()
    tab.result(other_than=before)
    mask = np.array(Image.open(io.BytesIO(tab.download("mask"))))
    assert mask[150, 200:250].max() == 0


def test_the_page_speaks_the_browsers_language_and_fits_a_phone(demo, chromium):
    tab = Tab(chromium, demo.url, locale="ko-KR", viewport={"width": 390, "height": 844})
    tab.page.get_by_text("사진, 한 장 또는 여러 장").wait_for()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    tab.page.get_by_role("button", name="잔디 위의 새끼 고양이", exact=True).click()
    tab.result()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not tab.foreign
    tab.context.close()
