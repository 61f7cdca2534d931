"""The filter in a real GIMP 3 with its windows, on a virtual screen: menu, dialog, preview, undo, Cancel, languages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from pictures import bytes_of, cat, large, oracle
from PIL import Image
from rig import PATIENCE, Gimp, Root, Screen

TITLE = "^Remove Background$"
CANCEL = ("1310", "962")  # where the status bar of the window, as large as Desk makes it, has the button

DROP = ("204", "754")  # where a dialog of 1400x900 has the brush that drops


class Desk:
    """A GIMP in a window with one image open, kept as inside.image."""

    def __init__(self, root: Root, screen: Screen, path: str, env: dict[str, str] | None = None):
        self.root, self.screen = root, screen
        self.gimp = Gimp(root, screen.display, env)
        self.gimp("import inside; inside.image = load(path); Gimp.Display.new(inside.image)", path=path)
        self.window = screen.window("[0-9]+x[0-9]+.*GIMP")
        screen.run("xdotool", "windowsize", "--sync", self.window, "1590", "960")

    def state(self) -> list:
        return self.gimp("import inside; result = state(inside.image)")

    def has_mask(self) -> bool:
        return self.gimp("import inside; result = inside.image.get_layers()[0].get_mask() is not None")

    def choose(self, mnemonic: str, title: str) -> str:
        """Filters > Nuggy > ... by the keyboard, and the id of the dialog that opens."""
        self.screen.key(self.window, "Escape", "alt+r")
        time.sleep(1)
        self.screen.run("xdotool", "key", "--delay", "150", "Up", "Right")  # the last of the Filters menu
        time.sleep(1)
        self.screen.shot("menu")
        self.screen.run("xdotool", "key", "--delay", "150", mnemonic)
        return self.screen.window(title)

    def log(self) -> str:
        return self.root.place.last_words(1000)


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def desk(root: Root, screen: Screen) -> Iterator[Desk]:
    Image.fromarray(cat(451, 300)).save(root.work / "cat.png")
    made = Desk(root, screen, str(root.work / "cat.png"))
    try:
        yield made
    finally:
        made.gimp.close()


def test_dialog_preview_ok_undo(desk: Desk) -> None:
    before = desk.state()
    window = desk.choose("r", TITLE)
    wait_for(lambda: "preview balanced ends" in desk.log())
    time.sleep(1)
    desk.screen.shot("dialog", window)
    desk.screen.key(window, "alt+p", "Up")  # the recipe: fast
    wait_for(lambda: "preview fast ends" in desk.log())
    desk.screen.key(window, "alt+o")
    wait_for(lambda: "mask fast ends" in desk.log())
    ends = {what: next(x for x in desk.log().splitlines() if f"{what} fast ends" in x) for what in ("preview", "mask")}
    assert "'network'" in ends["preview"] and "'network'" not in ends["mask"], "the network is asked once"
    wait_for(desk.has_mask)
    time.sleep(2)
    desk.screen.shot("masked")
    after = desk.state()
    desk.screen.key(desk.window, "ctrl+z")
    wait_for(lambda: desk.state() == before)
    desk.screen.key(desk.window, "ctrl+y")
    wait_for(lambda: desk.state() == after)
    desk.screen.key(desk.window, "ctrl+z")
    wait_for(lambda: desk.state() == before)


def test_repeat_uses_the_remembered_values(desk: Desk) -> None:
    before, runs = desk.state(), desk.log().count("mask fast ends")
    desk.screen.key(desk.window, "ctrl+f")
    wait_for(lambda: desk.log().count("mask fast ends") == runs + 1)
    wait_for(desk.has_mask)
    desk.screen.key(desk.window, "ctrl+z")
    wait_for(lambda: desk.state() == before)


def test_values_are_remembered_in_the_dialog_and_cancel_changes_nothing(desk: Desk) -> None:
    before = desk.state()
    runs = desk.log().count("preview fast ends")
    window = desk.choose("r", TITLE)
    wait_for(lambda: desk.log().count("preview fast ends") > runs)
    time.sleep(0.5)
    # open the expander: from the existing-mask box one step on
    desk.screen.key(window, "alt+k", "Tab", "space")  # (what is not meant, without mask and selection, is passed)
    time.sleep(1.5)
    desk.screen.shot("expanded", window)
    desk.screen.key(window, "Escape")
    desk.screen.gone(TITLE)
    assert desk.state() == before


def test_new_layer_is_one_step(desk: Desk) -> None:
    before = desk.state()
    window = desk.choose("c", "^Cut Out to New Layer$")
    time.sleep(1)
    desk.screen.key(window, "alt+o")
    desk.screen.gone("^Cut Out to New Layer$")
    wait_for(lambda: len(desk.state()[0]) == 2)
    time.sleep(1)
    desk.screen.shot("new-layer")
    desk.screen.key(desk.window, "ctrl+z")
    wait_for(lambda: desk.state()[:2] == before[:2])


def test_zoom_pan_and_brush(desk: Desk) -> None:
    """Enlarged, zoomed to 1:1, dragged; a stroke of Drop in the preview is in the mask that OK writes."""
    begun = len(desk.log().splitlines())

    def exact() -> int:
        return sum("preview balanced ends" in x for x in desk.log().splitlines()[begun:])

    window, screen = desk.choose("r", TITLE), desk.screen
    screen.key(window, "alt+p", "Down")
    wait_for(lambda: exact() >= 2)
    screen.run("xdotool", "windowmove", "--sync", window, "10", "10")
    screen.run("xdotool", "windowsize", "--sync", window, "1400", "900")
    time.sleep(2)
    screen.shot("large", window)

    def mouse(*what: object) -> None:
        screen.run("xdotool", *map(str, what))

    mouse("mousemove", "--window", window, 350, 300, "click", "--repeat", 3, "--delay", 200, 4)  # the wheel
    mouse("mousemove", "--window", window, 350, 300, "mousedown", 1, "mousemove_relative", "--", -60, 20, "mouseup", 1)
    time.sleep(2)
    screen.shot("zoomed", window)
    for _ in range(4):
        mouse("click", "--delay", 200, 5)
    mouse("mousemove", "--window", window, *DROP, "click", 1)
    time.sleep(0.5)
    before = exact()
    mouse("mousemove", "--window", window, 350, 300, "mousedown", 1)
    for _ in range(6):
        mouse("mousemove_relative", 8, 3)
    mouse("mouseup", 1)
    wait_for(lambda: exact() >= before + 2)
    screen.shot("stroke", window)
    screen.key(window, "alt+o")
    screen.gone(TITLE)
    wait_for(desk.has_mask)
    dark = desk.gimp(
        "import inside; m = samples(inside.image.get_layers()[0].get_mask(), 'Y u8'); result = sum(v == 0 for v in m)"
    )
    screen.key(desk.window, "ctrl+z")
    wait_for(lambda: not desk.has_mask())
    plain = bytes_of(oracle(cat(451, 300), which="balanced"))
    assert dark > (plain == 0).sum() + 100


def test_cancel_while_it_works(root: Root, screen: Screen, desk: Desk) -> None:
    """The progress bar's Cancel: nothing changed, nothing to undo, the worker goes on to serve."""
    Image.fromarray(large()).save(root.work / "large.png", compress_level=1)
    desk.gimp("import inside; inside.image = load(path); "
              "inside.display = Gimp.Display.new(inside.image)", path=str(root.work / "large.png"))  # fmt: skip
    desk.window = screen.window("4000x3000.*GIMP")
    before = desk.state()
    screen.key(desk.choose("r", TITLE), "alt+o")
    wait_for(lambda: "4000x3000 mask" in desk.log())
    time.sleep(0.5)
    screen.shot("working")
    screen.run("xdotool", "mousemove", *CANCEL, "click", "1")
    wait_for(lambda: "hung up" in root.place.last_words(1))
    time.sleep(1)
    screen.shot("cancelled")
    assert desk.state() == before and root.worker()
    screen.key(desk.window, "ctrl+z")  # nothing to undo
    time.sleep(1)
    assert desk.state() == before


@pytest.mark.parametrize(
    ("locale", "title"),
    [("ko_KR", "배경 지우기"), ("ja_JP", "背景を除去"), ("zh_CN", "移除背景")],
)
def test_languages(root: Root, screen: Screen, desk: Desk, locale: str, title: str) -> None:
    env = {"LANG": f"{locale}.UTF-8", "LANGUAGE": locale}
    gimp = Gimp(root, screen.display, env)
    try:
        runs = desk.log().count("preview")
        call = gimp.begin("result = call(load(path), mode='INTERACTIVE')", path=str(root.work / "cat.png"))
        window = screen.window(f"^{title}$")
        wait_for(lambda: desk.log().count("preview") >= runs + 2)
        time.sleep(1)
        screen.shot(f"dialog-{locale}", window)
        screen.key(window, "Escape")
        assert gimp.finish(call)[0] == "cancel"
    finally:
        gimp.close()


@pytest.mark.parametrize(
    ("locale", "title", "page"),
    [
        ("C", "Remove Background", "en"),
        ("ko_KR", "배경 지우기", "ko"),
        ("ja_JP", "背景を除去", "ja"),
        ("zh_CN", "移除背景", "zh_CN"),
    ],
)
def test_help_button_opens_the_page_in_the_language(
    root: Root, screen: Screen, desk: Desk, locale: str, title: str, page: str
) -> None:
    """What GIMP gives a browser to show: here a script that writes the address down."""
    opened = root.work / "opened"
    opened.unlink(missing_ok=True)
    script, applications = root.work / "browser", root.home / ".local/share/applications"
    applications.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nprintf %s "$1" >{opened}\n')
    script.chmod(0o755)
    entry = f"[Desktop Entry]\nType=Application\nName=Browser\nExec={script} %u\nMimeType=text/html;\n"
    (applications / "browser.desktop").write_text(entry)
    (root.home / ".config/mimeapps.list").write_text("[Default Applications]\ntext/html=browser.desktop\n")
    env = {"LANG": "C.UTF-8"} if locale == "C" else {"LANG": f"{locale}.UTF-8", "LANGUAGE": locale}
    gimp = Gimp(root, screen.display, env)
    try:
        call = gimp.begin("result = call(load(path), mode='INTERACTIVE')", path=str(root.work / "cat.png"))
        window = screen.window(f"^{title}$")
        time.sleep(1)
        screen.key(window, "F1")
        wait_for(opened.exists)
        screen.shot(f"help-{page}")
        screen.key(window, "Escape")
        assert gimp.finish(call)[0] == "cancel"
    finally:
        gimp.close()
    assert opened.read_text().removeprefix("file://") == f"{root.settings.parent}/help/{page}/index.html"
