"""How long a person waits at the page of `nuggy demo`, in a headless Chromium.

    pip install -c constraints.txt '.[demo]' httpx playwright
    python benchmarks/page.py [PHOTOGRAPH] [--megapixels 2] [--rounds 5]

First result: from the end of the upload to the result decoded in the browser, on a page that was opened for it; beside
it the core's own time for the same file alone, read, cut out, colours. A change: from the key or click
to the changed result decoded in the browser, by the browser's own clock; where a sketch comes first, to that / to the
whole. Medians of rounds.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

RECIPES = ("fast", "balanced")


def scaled(path: Path, megapixels: float) -> bytes:
    """The photograph at a size, as JPEG."""
    with Image.open(path) as f:
        image = f.convert("RGB")
    by = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
    out = io.BytesIO()
    image.resize((round(image.width * by), round(image.height * by)), Image.Resampling.BICUBIC).save(
        out, "JPEG", quality=92
    )
    return out.getvalue()


def core(data: bytes, recipe: str, rounds: int) -> float:
    """Seconds from the file's bytes to alpha and colours, without the page."""
    from nuggy_nodes.cli.pixels import to_tensor
    from nuggy_nodes.core import cutout
    from nuggy_nodes.pictures import read
    from nuggy_nodes.service.engine import Studio
    from nuggy_nodes.service.limits import Limits

    studio, taken = Studio(Limits(), "cpu"), []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        picture = read(Path("photograph.jpg"), data=data)
        cutout(to_tensor(picture.rgb, studio.device), studio.network, recipe).colours  # noqa: B018
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])


def first(browser, url: str, file: dict, recipe: str):  # type: ignore[no-untyped-def]
    """A new page, and seconds from the end of its upload to the result."""
    from tests_real.web.tab import Tab

    tab = Tab(browser, url)
    ended: list[float] = []
    tab.page.on("requestfinished", lambda r: "upload_file" in r.url and ended.append(time.perf_counter()))
    tab.page.locator("[data-testid=stRadio] label", has_text=recipe.capitalize()).click()
    tab.settle()
    tab.upload(file)
    tab.result()
    return tab, time.perf_counter() - ended[0]


WATCH = """e => {
  window.shownAt = []
  e.addEventListener('load', () => window.shownAt.push(performance.now()))
  for (const kind of ['keydown', 'pointerdown'])
    addEventListener(kind, () => { window.changedAt = performance.now(); window.shownAt.length = 0 }, true)
}"""


def changes(tab, recipe: str, rounds: int) -> dict[str, list[tuple[float, float]]]:  # type: ignore[no-untyped-def]
    """Seconds of changes to the first and to the last picture that they bring, by what is changed."""
    press = tab.page.keyboard.press
    tab.expand("Expert mode")
    tab.expand("Place and size")
    tab.settle()

    def slider(key: str, by: str = "ArrowRight") -> Callable[[], None]:
        return lambda: (tab.page.locator(f".st-key-{key} input[type=range]").focus(), press(by))

    steps = {
        "noise cutoff": slider(f"cutoff-{recipe}-0"),
        "sharpness": slider(f"sharp-{recipe}-0"),
        "radius": slider(f"radius-{recipe}-0", "PageUp"),  # by so much that it is another number of pixels
        "size of the subject": slider("scale"),
        "soft shadow": slider("shadow"),
    }
    taken: dict[str, list[tuple[float, float]]] = {}
    tab.page.locator("img.after").evaluate(WATCH)

    def timed(name: str, step: Callable[[], None]) -> None:
        tab.settle()
        step()
        tab.settle()
        changed, shown = tab.page.evaluate("[window.changedAt, window.shownAt]")
        if not shown:
            raise AssertionError(f"{recipe}, {name}: no other result")
        taken.setdefault(name, []).append(((shown[0] - changed) / 1000, (shown[-1] - changed) / 1000))

    for _ in range(rounds):
        for name, step in steps.items():
            timed(name, step)
    tab.choose("Background", "A colour")
    tab.settle()
    for i in range(rounds):
        name = ("black", "white")[i % 2]
        timed("background colour", tab.page.locator(f".st-key-brand-{name} button").first.click)
    return taken


def told(pairs: list[tuple[float, float]]) -> str:
    """Medians, one where both are the same pictures."""
    first, last = (statistics.median(times) for times in zip(*pairs))
    return f"{first:.2f}" if last - first < 0.01 else f"{first:.2f} / {last:.2f}"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("photograph", type=Path, nargs="?", default=ROOT / "samples" / "kitten-on-lawn.jpg")
    p.add_argument("--megapixels", type=float, default=2)
    p.add_argument("--rounds", type=int, default=5)
    args = p.parse_args()
    from playwright.sync_api import sync_playwright

    from tests_real.web.place import FLAGS, browser, listening

    data = scaled(args.photograph, args.megapixels)
    file = {"name": args.photograph.name, "mimeType": "image/jpeg", "buffer": data}
    print(f"{args.photograph.name} at {args.megapixels:g} megapixels, {args.rounds} rounds; seconds\n")
    print("| | " + " | ".join(RECIPES) + " |\n|---|" + "---|" * len(RECIPES))
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser(), args=FLAGS)
        with listening("demo", "--no-browser", log=Path(folder) / "log") as demo:
            for recipe in RECIPES:
                waits = []
                for i in range(args.rounds + 1):
                    tab, wait = first(chromium, demo.url, file, recipe)
                    waits += [wait] if i else []
                    if i < args.rounds:
                        tab.close()
                rows.setdefault("first result, from the upload's end", []).append(f"{statistics.median(waits):.2f}")
                for name, taken in changes(tab, recipe, args.rounds).items():
                    rows.setdefault("change: " + name, []).append(told(taken))
                tab.close()
        chromium.close()
    for recipe in RECIPES:
        rows.setdefault("the core alone: read, cut out, colours", []).append(f"{core(data, recipe, args.rounds):.2f}")
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(values) + " |")


if __name__ == "__main__":
    main()
