"""What `nuggy demo` makes, in a real headless Chromium with the real network: the core's own, at every setting."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import zipfile

import numpy as np
from PIL import Image

from .place import ROOT
from .tab import CAT, pixels, small


def by_command(folder, *options: str) -> np.ndarray:
    """What the command line makes of the cat."""
    command = [sys.executable, "-m", "nuggy_nodes", "cutout", CAT, "-o", folder, "--device", "cpu", *options]
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT)
    (made,) = folder.glob("*")
    return np.array(Image.open(made))


def test_the_downloads_are_the_command_lines_own(tab, tmp_path):
    tab.fast()
    tab.upload(CAT)
    first = tab.result()
    tab.settle()
    own = by_command(tmp_path, "--recipe", "fast")
    assert np.array_equal(pixels(tab.download("png")), own)
    assert np.array_equal(tab.mask(), own[..., 3])
    webp = pixels(tab.download("webp"))
    assert np.array_equal(webp[..., 3], own[..., 3]) and np.array_equal(webp[own[..., 3] > 0], own[own[..., 3] > 0])
    tab.switch("as-mask")
    seen = pixels(tab.result(other_than=first)).astype(int)
    assert seen.ndim == 2 and np.abs(seen - own[..., 3]).mean() < 2  # a JPEG of the mask
    shown = pixels(first).astype(int)
    sure = own[..., 3] == 255
    assert shown.shape[:2] == own.shape[:2]
    assert np.abs(shown[sure] - own[..., :3][sure]).mean() < 6  # a JPEG of it
    ground = shown[own[..., 3] == 0]
    assert set(np.round(ground.mean(1) / 51)) == {4, 5}  # over checks of .8 and 1


def test_slider_zoom_and_place_by_hand(tab):
    tab.fast()
    tab.upload(CAT)
    shown = tab.result()
    tab.settle()
    slider = tab.page.locator("input.slider")
    slider.focus()
    tab.page.keyboard.press("ArrowRight")  # by the keyboard alone
    assert slider.input_value() == "51"
    tab.page.locator("button.one").click()
    stage = tab.page.locator(".stage")
    assert "scale(1)" in stage.get_attribute("style")  # a photograph that is smaller than its frame is not made less
    box = tab.page.locator(".box")
    tab.stroke(box, (0.51, 0.4), (0.25, 0.4))
    assert abs(int(slider.input_value()) - 25) <= 1

    mask = tab.mask()
    tab.expand("Place and size")
    tab.switch("drag")
    tab.page.get_by_text("Drag the subject to its place.").wait_for()
    tab.stroke(box, (0.6, 0.4), (0.8, 0.4))
    tab.result(other_than=shown)
    tab.settle()
    assert abs(int(tab.page.locator(".st-key-x input[type=range]").input_value()) - 20) <= 1
    moved = pixels(tab.download("png"))[..., 3].astype(int)
    by = round(mask.shape[1] * 0.2)
    gone = np.abs(moved[:, by + 4 : -4] - np.roll(mask, by, 1)[:, by + 4 : -4].astype(int))
    assert gone.mean() < 3 and moved[:, : by - 4].max() == 0


def test_expert_mode_and_the_command_that_does_the_same(tab, tmp_path):
    tab.fast()
    tab.upload(CAT)
    shown = tab.result()
    tab.settle()
    tab.expand("Expert mode")
    tab.slide("cutoff-fast-0", "ArrowRight", 5)
    shown = tab.result(other_than=shown)
    tab.slide("sharp-fast-0", "ArrowRight", 2)
    tab.result(other_than=shown)
    tab.switch("all")
    tab.choose("Keep", "all")
    tab.settle()
    tab.expand("The command that does the same")
    line = shlex.split(tab.page.locator("[data-testid=stCode]").inner_text().strip())
    assert line[:3] == ["nuggy", "cutout", "chelsea.png"]
    assert {"--black", "--gamma", "--islands"} <= set(line)
    assert np.array_equal(pixels(tab.download("png")), by_command(tmp_path, *line[3:]))
    tab.page.locator(".st-key-reset button").click()
    tab.settle()
    assert tab.page.locator("[data-testid=stCode]").inner_text().strip() == "nuggy cutout chelsea.png --recipe fast"


def test_backgrounds(tab):
    tab.fast()
    tab.upload(CAT)
    shown = tab.result()
    tab.settle()
    alpha = tab.mask()
    empty = np.argwhere(alpha == 0)
    y, x = empty[len(empty) // 2]

    def behind() -> np.ndarray:
        """The colour where the subject is not, as it is taken home."""
        return pixels(tab.download("jpeg"))[y, x].astype(int)

    tab.choose("Background", "A colour")
    shown = tab.result(other_than=shown)
    assert behind().min() > 245
    tab.page.locator(".st-key-brand-black button").first.click()
    shown = tab.result(other_than=shown)
    tab.settle()
    assert behind().max() < 10
    tab.choose("Background", "A sample")
    shown = tab.result(other_than=shown)
    assert np.ptp(behind()) < 12  # Studio is grey
    tab.choose("Background", "The photograph's own, blurred")
    shown = tab.result(other_than=shown)
    tab.settle()
    tab.choose("Background", "A picture of your own")
    tab.settle()
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (10, 200, 30)).save(out, "PNG")
    picture = {"name": "green.png", "mimeType": "image/png", "buffer": out.getvalue()}
    tab.page.locator(".st-key-own-picture input[type=file]").set_input_files(picture)
    tab.settle()
    tab.result(other_than=shown)
    assert np.abs(behind() - (10, 200, 30)).max() < 8
    tab.slide("shadow", "ArrowRight", 6)
    shaded = pixels(tab.download("jpeg")).astype(int)
    assert shaded[alpha == 0].sum(-1).min() < 0.9 * sum((10, 200, 30))  # some of it lies in shadow


def test_many_are_cut_out_and_come_as_a_zip(tab):
    tab.fast()
    files = [{"name": f"cat{i % 2}.png", "mimeType": "image/png", "buffer": small(i * 3)} for i in range(3)]
    out = io.BytesIO()
    Image.new("RGB", (900, 1), (90, 90, 90)).save(out, "PNG")
    files.append({"name": "line.png", "mimeType": "image/png", "buffer": out.getvalue()})
    files.append({"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(40)})
    tab.upload(*files)
    tab.result()
    tab.page.wait_for_function("document.querySelectorAll('.st-key-gallery img').length == 4")
    tab.settle()
    single = tab.download("png")
    with zipfile.ZipFile(io.BytesIO(tab.download("zip"))) as z:
        names = sorted(z.namelist())
        assert names == ["cat0-cutout-2.png", "cat0-cutout.png", "cat1-cutout.png", "errors.txt", "line-cutout.png"]
        assert z.read("cat0-cutout.png") == single and b"broken.png" in z.read("errors.txt")


def test_strokes_and_a_box_are_obeyed(tab):
    tab.fast()
    tab.upload(CAT)
    shown = tab.result()
    tab.settle()
    before = tab.mask()
    tab.expand("Correct")
    canvas = tab.page.locator("canvas").last
    canvas.wait_for()
    tab.settle()
    tab.paint(canvas, (0.85, 0.3), (0.97, 0.3))  # keep, where nothing was found
    tab.page.locator(".st-key-tool").get_by_text("Drop").click()
    tab.settle()
    tab.paint(canvas, (0.3, 0.5), (0.6, 0.5))
    tab.page.locator(".st-key-apply button").click()
    shown = tab.result(other_than=shown)
    tab.settle()
    said = tab.mask()
    height, width = said.shape
    row, columns = round(height * 0.5), slice(round(width * 0.35), round(width * 0.55))
    assert before[row, columns].min() > 200 and said[row, columns].max() == 0
    row, columns = round(height * 0.3), slice(round(width * 0.9), round(width * 0.95))
    assert before[row, columns].max() < 128
    assert said[row, columns].min() == 255

    tab.page.locator(".st-key-forget button").click()
    shown = tab.result(other_than=shown)
    tab.settle()
    assert np.array_equal(tab.mask(), before)
    tab.page.locator(".st-key-tool").get_by_text("Box").click()
    tab.settle()
    canvas = tab.page.locator("canvas").last
    tab.paint(canvas, (0.1, 0.1), (0.5, 0.9))
    tab.page.locator(".st-key-apply button").click()
    tab.result(other_than=shown)
    tab.settle()
    boxed = tab.mask()
    assert boxed[:, round(width * 0.5) + 3 :].max() == 0 and boxed[round(height * 0.5), round(width * 0.4)] > 200
