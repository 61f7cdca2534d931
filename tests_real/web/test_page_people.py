"""`nuggy demo` as people meet it: what is no picture, two at once, other languages, phones, a token, an hour later."""

from __future__ import annotations

import subprocess
import time

import httpx
import pytest

from .place import ROOT, listening
from .tab import CAT, Tab, large, pixels, small

HOSTILE = {
    "text.png": (b"no picture", "not a picture"),
    "nothing.jpg": (b"", "not a picture"),
    "short.png": (CAT.read_bytes()[:9000], "damaged"),
    "page.svg": (b"<svg onload=alert(1)></svg>", "not a picture"),
    "pickle.jpg": (b"\x80\x04cposix\nsystem\n.", "not a picture"),
    "script.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run", "not a picture"),
    "huge.pgm": (b"P5 60000 60000 255\n" + bytes(100), "too large"),
    "<img src=x onerror=alert(1)>.png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
    "![x](http:⧸⧸127.0.0.2⧸y.png).png": (b"no picture", "![x]"),
    "../../etc/passwd.png": (b"no picture", "not a picture"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_said_in_words(tab, name):
    data, words = HOSTILE[name]
    name = name.replace("⧸", "/")  # a slash in a file's name, as only a program sends it
    tab.upload({"name": name, "mimeType": "image/png", "buffer": data})
    tab.page.locator("[data-testid=stAlert]", has_text=words).wait_for()
    tab.settle()
    assert tab.page.locator("img[src=x], img[src*='127.0.0.2'], [data-testid=stException]").count() == 0
    assert "Traceback" not in tab.page.inner_text("body")


def test_too_large_a_file_is_refused_by_the_uploader(chromium, tmp_path):
    with listening("demo", "--no-browser", "--max-upload", "1", log=tmp_path / "log") as demo:
        tab = Tab(chromium, demo.url)
        large = tmp_path / "large.png"
        large.write_bytes(CAT.read_bytes() + bytes(2 << 20))
        tab.upload(large)
        tab.page.get_by_text("1.0MB", exact=False).last.wait_for()
        tab.settle()
        assert tab.page.locator("img.after").count() == 0
        tab.close()


def test_two_at_once_and_a_refresh_in_mid_work(demo, chromium, tab):
    other = Tab(chromium, demo.url)
    tab.upload(large())
    tab.page.get_by_text("cutting out").wait_for()
    other.fast()
    other.upload(CAT)
    tab.page.reload()
    first = pixels(other.result())
    tab.page.wait_for_selector("[data-testid=stFileUploaderDropzone]")
    tab.fast()
    tab.upload({"name": "cat.png", "mimeType": "image/png", "buffer": small()})
    assert pixels(tab.result()).shape == (150, 220, 3) and first.shape == (300, 451, 3)
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_speaks_the_browsers_language_and_fits_a_phone(demo, chromium, scheme):
    tab = Tab(chromium, demo.url, locale="ko-KR", viewport={"width": 390, "height": 844}, color_scheme=scheme)
    tab.page.get_by_text("사진, 한 장 또는 여러 장").wait_for()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    ground = tab.page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    red = int(ground.split("(")[1].split(",")[0])
    assert red > 200 if scheme == "light" else red < 60
    tab.page.get_by_role("button", name="잔디 위의 새끼 고양이", exact=True).click()
    tab.result()
    tab.settle()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    box = tab.page.locator(".box").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    tab.expand("고치기")
    canvas = tab.page.locator("canvas").last
    canvas.wait_for()
    frame = tab.page.locator("[data-testid=stExpander]", has=canvas).bounding_box()
    at = canvas.bounding_box()  # the whole photograph can be drawn on
    assert at["width"] > 200 and at["x"] >= frame["x"] and at["x"] + at["width"] <= frame["x"] + frame["width"]
    tab.close()


def test_the_token_is_asked_of_everybody(chromium, tmp_path):
    with listening("demo", "--no-browser", "--token", "한 letter=8", log=tmp_path / "log") as demo:
        for path in ("/", "/_stcore/host-config", "/?token=wrong", "/_stcore/stream"):
            assert httpx.get(demo.url + path, headers={"Accept-Language": "ko"}).status_code == 401
        assert "토큰" in httpx.get(demo.url, headers={"Accept-Language": "ko"}).text
        assert httpx.put(f"{demo.url}/_stcore/upload_file/a/b", content=b"x").status_code == 401
        assert httpx.get(demo.url, headers={"Host": "rebound.example"}).status_code == 400
        tab = Tab(chromium, f"{demo.url}/?token=%ED%95%9C%20letter%3D8")
        assert tab.page.url == demo.url + "/"  # the token is not left in the address
        tab.fast()
        tab.upload({"name": "cat.png", "mimeType": "image/png", "buffer": small()})
        tab.result()
        tab.close()
        arguments = subprocess.run(["ps", "-ww", "-o", "args=", str(demo.process.pid)], capture_output=True, text=True)
        assert "letter" not in arguments.stdout


def test_what_nobody_uses_is_dropped_and_made_again(chromium, tmp_path):
    with listening("demo", "--no-browser", "--keep-minutes", "0.1", log=tmp_path / "log") as demo:
        tab = Tab(chromium, demo.url)
        tab.fast()
        tab.upload(ROOT / "samples" / "kitten-on-lawn.jpg")
        shown = tab.result()
        tab.settle()
        time.sleep(10)  # above 6 s and a round of the clock: tests/demo has what is let go of
        tab.choose("Background", "A colour")
        again = tab.result(other_than=shown)
        assert pixels(again).shape == pixels(shown).shape == (1083, 1600, 3)
        tab.close()


def test_killed_in_mid_work_and_started_again(chromium, tmp_path):
    with listening("demo", "--no-browser", log=tmp_path / "log") as demo:
        tab = Tab(chromium, demo.url)
        tab.upload(large())
        tab.page.get_by_text("cutting out").wait_for()
        demo.process.kill()
        demo.process.wait()
        with listening("demo", "--no-browser", log=tmp_path / "log", port=demo.port):
            tab.page.reload()  # the page of before, which has found its server again
            tab.page.wait_for_selector("[data-testid=stFileUploaderDropzone]")
            tab.fast()
            tab.upload({"name": "cat.png", "mimeType": "image/png", "buffer": small()})
            assert pixels(tab.result()).shape == (150, 220, 3)
            tab.close()
