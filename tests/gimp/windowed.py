"""The filter in a real GIMP 3 with its windows, on a virtual screen: menu, dialog, preview, undo, Cancel, languages."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pictures import bytes_of, cat, large, oracle
from PIL import Image
from rig import PATIENCE, Gimp, Root, Screen, kill

TITLE = "^Remove Background$"
MESSAGE = "^GIMP Message$"
CANCEL = ("1310", "962")  # where the status bar of the window, as large as Desk makes it, has the button

DROP, CLEAR = ("204", "754"), ("505", "754")  # where a dialog of 1400x900 has the brush that drops, and Clear
LAYERS = ("400", "40")  # and, of several layers, their list


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

    def open(self, path: Path, title: str) -> None:
        """Another image in a window of its own, which is worked on from now on."""
        self.gimp(
            "import inside; inside.image = load(path); inside.display = Gimp.Display.new(inside.image)", path=path
        )
        self.window = self.screen.window(title)

    def strokes(self) -> list[int]:
        """How many each layer keeps."""
        text = self.gimp(
            "import inside, json\np = [x.get_parasite('nuggy-strokes') for x in inside.image.get_layers()]\n"
            "result = [len(json.loads(bytes(q.get_data()))['lines']) if q else 0 for q in p]"
        )
        return list(text)

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


def test_refine_mask_is_one_step(desk: Desk) -> None:
    """The layer's own mask, an ellipse, with a slider for how far its edge may be off."""
    desk.gimp("import inside; i = inside.image; i.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 40, 330, 230)\n"
              "layer = i.get_layers()[0]; layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))\n"
              "Gimp.Selection.none(i)")  # fmt: skip
    before, runs, begun = desk.state(), desk.log().count("preview"), len(desk.log())
    window = desk.choose("m", "^Refine Mask$")
    wait_for(lambda: desk.log().count("preview") >= runs + 4)  # first look and exact, each begun and ended
    time.sleep(1)
    desk.screen.shot("refine", window)
    desk.screen.key(window, "alt+o")
    wait_for(lambda: re.search(r" mask \w+ ends", desk.log()[begun:]))
    desk.screen.gone("^Refine Mask$")
    time.sleep(3)  # a mask that is being exchanged cannot be read
    assert desk.state() != before
    desk.screen.key(desk.window, "ctrl+z")
    wait_for(lambda: desk.state() == before)
    desk.gimp("import inside; inside.image.get_layers()[0].remove_mask(Gimp.MaskApplyMode.DISCARD)")


def test_zoom_pan_and_brush(desk: Desk) -> None:
    """Enlarged, zoomed to 1:1, dragged; a stroke of Drop in the preview is in the mask that OK writes."""
    begun = len(desk.log().splitlines())

    def exact() -> int:
        return sum(" preview " in x and " ends" in x for x in desk.log().splitlines()[begun:])

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
    assert desk.strokes() == [1], "the stroke outlives undo, to be gone on with"
    window = desk.choose("r", TITLE)
    time.sleep(2)
    screen.shot("stroke-again", window)
    screen.run("xdotool", "windowmove", "--sync", window, "10", "10")
    screen.run("xdotool", "windowsize", "--sync", window, "1400", "900")
    mouse("mousemove", "--window", window, *CLEAR, "click", 1)
    time.sleep(1)
    screen.key(window, "alt+o")
    screen.gone(TITLE)
    wait_for(desk.has_mask)
    assert desk.strokes() == [0]
    screen.key(desk.window, "ctrl+z")
    wait_for(lambda: not desk.has_mask())


def test_each_layer_has_its_strokes(desk: Desk) -> None:
    """Of two selected layers the list shows the second one; the stroke that is drawn then is that one's."""
    screen = desk.screen
    desk.gimp("import inside; i = inside.image; below = i.get_layers()[0]; twin = below.copy(); twin.set_name('twin')\n"
              "i.insert_layer(twin, None, 1); i.set_selected_layers([below, twin])")  # fmt: skip
    window = desk.choose("r", TITLE)
    time.sleep(2)
    screen.run("xdotool", "windowmove", "--sync", window, "10", "10")
    screen.run("xdotool", "windowsize", "--sync", window, "1400", "900")
    time.sleep(1)
    screen.run("xdotool", "mousemove", "--window", window, *LAYERS, "click", "1")
    time.sleep(1)
    screen.run("xdotool", "key", "--delay", "150", "Down", "Return")
    time.sleep(1)
    screen.run("xdotool", "mousemove", "--window", window, *DROP, "click", "1")
    screen.run("xdotool", "mousemove", "--window", window, "350", "350", "mousedown", "1", "mousemove_relative", "30",
               "10", "mousemove_relative", "10", "20", "mouseup", "1")  # fmt: skip
    time.sleep(2)
    screen.shot("layers", window)
    screen.key(window, "alt+o")
    screen.gone(TITLE)
    wait_for(lambda: desk.strokes() == [0, 1])
    wait_for(desk.has_mask)
    zero = desk.gimp(
        "import inside\nmasks = [samples(x.get_mask(), 'Y u8') for x in inside.image.get_layers()]\n"
        "result = [sum(v == 0 for v in m) for m in masks]"
    )
    assert zero[1] > zero[0] + 100
    screen.key(desk.window, "ctrl+z")
    wait_for(lambda: not desk.has_mask())
    desk.gimp("import inside; inside.image.remove_layer(inside.image.get_layers()[1])")


def test_the_network_is_asked_once_of_twelve_megapixels(root: Root, desk: Desk) -> None:
    """Preview, then OK; opened again with another setting, and OK: one pass of the network in all of it."""
    Image.fromarray(large()).save(root.work / "large.png", compress_level=1)
    desk.open(root.work / "large.png", "4000x3000.*GIMP")
    begun = len(desk.log().splitlines())

    def ends(what: str) -> list[str]:
        return [x for x in desk.log().splitlines()[begun:] if f"4000x3000 {what} " in x and " ends" in x]

    window = desk.choose("r", TITLE)
    wait_for(lambda: len(ends("preview")) == 2)  # the first look, and the part that is seen
    time.sleep(1)
    desk.screen.shot("twelve", window)
    desk.screen.key(window, "alt+o")
    wait_for(lambda: ends("mask"))
    wait_for(desk.has_mask)
    time.sleep(1)
    desk.screen.key(desk.choose("r", TITLE), "alt+k", "Down", "Down", "alt+o")
    wait_for(lambda: len(ends("mask")) == 2)
    asked = ["'network'" in x for x in ends("preview") + ends("mask")]
    assert sum(asked) == 1 and asked[0]


def test_cancel_while_it_works(root: Root, screen: Screen, desk: Desk) -> None:
    """The progress bar's Cancel: nothing changed, nothing to undo, the worker goes on to serve."""
    Image.fromarray(large()[:2990]).save(root.work / "other.png", compress_level=1)  # the worker has not seen it
    desk.open(root.work / "other.png", "4000x2990.*GIMP")
    before = desk.state()
    screen.key(desk.choose("r", TITLE), "alt+o")
    wait_for(lambda: "4000x2990 mask" in desk.log())
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
    ("name", "python", "path", "act", "words"),
    [
        ("gone", "/nonexistent/python3", "cat", 0, "/nonexistent/python3, which served this plug-in, is gone"),
        ("cannot-start", "/bin/false", "cat", 0, "could not be started"),
        ("stopped", "", "cat", signal.SIGSTOP, "worker is stopped"),
        ("killed", "", "large", signal.SIGKILL, "ended in the middle of the work"),
        ("nothing", "", "flat", 0, "Nothing was found in"),
    ],
)
def test_failures_as_they_are_read(
    root: Root, screen: Screen, desk: Desk, name: str, python: str, path: str, act: int, words: str
) -> None:
    """In the dialog and, after OK, in GIMP's own window, with pictures of both: what failed and what to do."""
    Image.new("RGB", (300, 240), (120, 130, 140)).save(root.work / "flat.png")
    Image.fromarray(large()[:2980]).save(root.work / "large.png", compress_level=1)
    kept = root.settings.read_text()
    if python:
        root.end_worker()
        root.settings.write_text(json.dumps(json.loads(kept) | {"python": python, "folder": ""}))
    else:
        assert root.nuggy("gimp", "check").returncode == 0
    stopped = act == signal.SIGSTOP and root.worker()
    try:
        if stopped:
            os.kill(stopped, act)
        code = "import inside; inside.image = load(path); inside.display = Gimp.Display.new(inside.image); before = "
        code += "state(inside.image)\ns = call(inside.image, mode='INTERACTIVE')\n"
        code += "result = [s[0], s[1], state(inside.image) == before]; inside.display.delete()"
        call = desk.gimp.begin(code, path=str(root.work / f"{path}.png"))
        window = screen.window(TITLE)
        if act == signal.SIGKILL:
            wait_for(lambda: " begins" in root.place.last_words(1))
            kill(root.worker())
        elif name == "nothing":
            wait_for(lambda: "'found': False" in root.place.last_words(3))
        time.sleep(16 if stopped else 4)
        screen.shot(f"failure-{name}", window)
        screen.key(window, "alt+o")
        if act == signal.SIGKILL:  # OK has another one started
            wait_for(lambda: re.search(r"mask \w+ begins", root.place.last_words(1)))
            kill(root.worker())
        said = screen.window(MESSAGE)
        time.sleep(1)
        screen.shot(f"message-{name}", said)
        screen.key(said, "Escape")
        status, text, same = desk.gimp.finish(call)
    finally:
        if stopped:
            os.kill(stopped, signal.SIGCONT)
        root.settings.write_text(kept)
    assert status == "execution-error" and same is True and words in text
    assert not stopped or str(stopped) in text


def test_a_refusal_is_GIMPs_message(screen: Screen, desk: Desk) -> None:
    """What comes back from the filter when it was called by the menu: a window of GIMP's."""
    desk.gimp("import inside; inside.image = load(path); inside.display = Gimp.Display.new(inside.image)\n"
              "inside.image.get_layers()[0].set_lock_content(True)", path=str(desk.root.work / "cat.png"))  # fmt: skip
    desk.window = screen.window("451x300.*GIMP")
    said = desk.choose("r", MESSAGE)
    screen.shot("message-locked", said)
    screen.key(said, "Escape")
    screen.gone(MESSAGE)


@pytest.mark.parametrize(
    ("locale", "title", "page"),
    [
        ("C", "Remove Background", "en"),
        ("ko_KR", "배경 지우기", "ko"),
        ("ja_JP", "背景を除去", "ja"),
        ("zh_CN", "移除背景", "zh_CN"),
    ],
)
def test_languages_and_help(root: Root, screen: Screen, desk: Desk, locale: str, title: str, page: str) -> None:
    """The dialog in the user's language; F1 gives a browser, here a script that writes the address down, the page."""
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
        runs = desk.log().count("preview")
        call = gimp.begin("result = call(load(path), mode='INTERACTIVE')", path=str(root.work / "cat.png"))
        window = screen.window(f"^{title}$")
        wait_for(lambda: desk.log().count("preview") >= runs + 2)
        time.sleep(1)
        screen.shot(f"dialog-{page}", window)
        screen.key(window, "F1")
        wait_for(opened.exists)
        screen.key(window, "Escape")
        assert gimp.finish(call)[0] == "cancel"
        assert quiet(gimp)
    finally:
        gimp.close()
    assert opened.read_text().removeprefix("file://") == f"{root.settings.parent}/help/{page}/index.html"


def test_nothing_is_said_on_the_console(desk: Desk) -> None:
    """Neither by the plug-in, through all that was done above, nor by GIMP of it: missing mnemonics and the like."""
    assert quiet(desk.gimp)


def quiet(gimp: Gimp) -> bool:
    words = [x for x in gimp.words(1 << 20).splitlines() if re.search(r"\(nuggy|nuggy\.py|mnemonic|plug-in-nuggy", x)]
    words = [x for x in words if "terminated" not in x]  # Cancel has GIMP end the plug-in, and GIMP says so
    print("\n".join(words))
    return not words
