"""An open page of `nuggy demo`, and what a hand does there."""

from __future__ import annotations

import base64
import io
import re
import time

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, WebSocket, expect

from .place import ROOT

CAT = ROOT / "samples" / "chelsea.png"
FAR = 120_000  # milliseconds, on a busy machine
QUIET = 6  # looks, 50 ms apart
PATIENCE = 20  # seconds in which a message is answered, if it is one that is
AT_REST = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"

# of an address that holds a picture: enough to tell it from another, where the whole would be megabytes at each look
MARK = "e => e.src && e.src.length + ':' + e.src.slice(-900, -100)"


def mark(address: str) -> str:
    """What MARK says of an address."""
    return address and f"{len(address)}:{address[-900:-100]}"


class Tab:
    """`foreign` holds what the page asked of other machines, `faults` what went wrong in its scripts."""

    def __init__(self, browser: Browser, url: str, **context):
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(FAR)
        self.foreign: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda r: self._seen(r.url))
        self.sent, self.asked, self.answered = 0, 0.0, 0.0  # messages to the server; when the last went, the last came
        self.page.on("websocket", self._listen)
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.goto(url)
        self.page.wait_for_selector("[data-testid=stFileUploaderDropzone]")

    def _seen(self, url: str) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", url):
            self.foreign.append(url)

    def _listen(self, socket: WebSocket) -> None:
        def sent(_: object) -> None:
            self.sent, self.asked = self.sent + 1, time.monotonic()

        def received(_: object) -> None:
            self.answered = time.monotonic()

        socket.on("framesent", sent)
        socket.on("framereceived", received)

    def close(self) -> None:
        assert not self.foreign and not self.faults
        self.context.close()

    def fast(self) -> None:
        self.page.locator("[data-testid=stRadio] label", has_text="Fast").click()
        self.settle()

    def upload(self, *files) -> None:
        self.page.locator("input[type=file]").first.set_input_files(list(files))

    def settle(self) -> None:
        """Wait until the page has had nothing to do for a while: between two runs it is idle for a moment, and so it is
        before a busy server has begun to answer."""
        until, quiet = time.monotonic() + FAR / 1000, 0
        while quiet < QUIET:
            assert time.monotonic() < until, "the page does not come to rest"
            self.page.wait_for_timeout(50)
            waits = self.answered <= self.asked and time.monotonic() < self.asked + PATIENCE
            quiet = quiet + 1 if self.page.evaluate(AT_REST) and not waits else 0

    def result(self, other_than: str = "") -> str:
        """The result's picture as an address, when it is there and shown."""
        after = self.page.locator("img.after")
        after.wait_for(state="attached")
        told = mark(other_than)
        until = time.monotonic() + FAR / 1000
        while time.monotonic() < until:
            if after.evaluate(MARK) not in ("", told):
                after.evaluate("e => e.decode()")
                return after.get_attribute("src")
            self.page.wait_for_timeout(20)
        raise AssertionError("no other result")

    def choose(self, label: str, option: str) -> None:
        self.settle()  # a run under way closes the list
        box = self.page.locator("[data-testid=stSelectbox]", has_text=label).locator("input")
        box.scroll_into_view_if_needed()
        self.page.wait_for_timeout(400)  # the page scrolls smoothly, and what scrolls closes the list
        box.click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def slide(self, key: str, presses: str, times: int) -> None:
        """Move a slider of Streamlit by the keyboard."""
        handle = self.page.locator(f".st-key-{key} input[type=range]")
        handle.focus()
        for _ in range(times):
            self.page.keyboard.press(presses)
        self.settle()

    def switch(self, key: str) -> None:
        """Turn a switch on, by the keyboard: what unfolds moves away from under a pointer."""
        switch = self.page.locator(f".st-key-{key} input[type=checkbox]")
        switch.focus()
        self.page.keyboard.press("Space")
        expect(switch).to_be_checked()
        self.settle()

    def expand(self, title: str) -> None:
        self.settle()
        self.page.locator("[data-testid=stExpander] summary", has_text=title).click()
        self.page.locator("[data-testid=stExpander] details[open] summary", has_text=title).wait_for()
        self.settle()

    def stroke(self, area: Locator, *points: tuple[float, float]) -> None:
        """Drag through points, in shares of an area."""
        area.scroll_into_view_if_needed()
        self.page.wait_for_timeout(400)  # the page scrolls smoothly
        at = area.bounding_box()
        for i, (x, y) in enumerate(points):
            self.page.mouse.move(at["x"] + at["width"] * x, at["y"] + at["height"] * y, steps=8 if i else 1)
            if i == 0:
                self.page.mouse.down()
        self.page.mouse.up()
        self.settle()

    def paint(self, canvas: Locator, *points: tuple[float, float]) -> None:
        """A stroke on the canvas of corrections, which tells the server of it a while later."""
        before = self.sent
        self.stroke(canvas, *points)
        until = time.monotonic() + PATIENCE
        while self.sent == before:
            assert time.monotonic() < until, "the stroke is not sent"
            self.page.wait_for_timeout(50)
        self.settle()

    def download(self, name: str) -> bytes:
        self.settle()  # a run under way may exchange the button
        with self.page.expect_download() as waited:
            self.page.locator(f".st-key-get-{name} button").click()
        with open(waited.value.path(), "rb") as f:
            return f.read()

    def mask(self) -> np.ndarray:
        return np.array(Image.open(io.BytesIO(self.download("mask"))))


def pixels(picture: bytes | str) -> np.ndarray:
    """A file's pixels, or those of an address that holds one."""
    data = base64.b64decode(picture.split(",", 1)[1]) if isinstance(picture, str) else picture
    return np.array(Image.open(io.BytesIO(data)))


def small(turned: float = 0) -> bytes:
    """A cat of 220 by 150 pixels as PNG."""
    out = io.BytesIO()
    Image.open(CAT).convert("RGB").resize((220, 150)).rotate(turned).save(out, "PNG")
    return out.getvalue()


def large() -> dict[str, object]:
    """The kitten at 24 megapixels, as an upload: long enough under way to be met at work."""
    out = io.BytesIO()
    Image.open(ROOT / "samples" / "kitten-on-lawn.jpg").resize((6000, 4061)).save(out, "JPEG", quality=85)
    return {"name": "kitten.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}
