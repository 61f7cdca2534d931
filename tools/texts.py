"""Writes what is made of the declared settings: texts of ComfyUI's locales and help pages, the tables of the GIMP
plug-in and of the page, docs/settings.md.

    python tools/texts.py           # writes
    python tools/texts.py --check   # says what is out of date, exit status 1

A setting's English label and help stand in nuggy_nodes/core/recipes.py, the others in tools/translations/, by setting.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nuggy_nodes.core.recipes import RECIPES, SETTINGS  # noqa: E402
from nuggy_nodes.core.settings import CONTRAST, SHARE, Setting  # noqa: E402
from tools.pages import HEADINGS, help_pages, with_choices  # noqa: E402

LANGUAGES = ("ko", "ja", "zh")
GIMP_LANGUAGES = ("de", "fr", "es")  # beside those, for the numbers of its dialog alone
NODES = {  # node: the inputs that are settings, by the setting where the names differ
    "GuidedFilterRefine": {n: n for n in ("radius", "black", "white", "gamma", "guide", "epsilon", "passes", "detail")},
    "IslandRemove": {"keep": "islands"}
    | {n: n for n in ("threshold", "min_area", "max_hole", "min_reach", "min_peak", "shift_edge", "feather")},
    "NuggyComposite": {"foreground": "foreground"},
    "NuggyAdjustMask": {n: n for n in ("shift_edge", "feather")},
}
GIMP = ("edge", "islands", "mask")  # parts whose numbers the dialog offers
GIMP_NAMES = {"epsilon": "edge-contrast"}
BALANCED = RECIPES["balanced"]


def translations() -> dict[str, dict[str, dict[str, str]]]:
    """By language and setting: label and help. Raises SystemExit that names what is missing."""
    found = {"en": {s.name: {"label": s.label, "help": s.help} for s in SETTINGS.values()}}
    for language in LANGUAGES:
        path = ROOT / "tools" / "translations" / f"{language}.json"
        found[language] = json.loads(path.read_text(encoding="utf-8"))
        wrong = set(found[language]) ^ set(SETTINGS)
        if wrong or not all(t.get("label") and t.get("help") for t in found[language].values()):
            raise SystemExit(f"{path}: not the declared settings, each with label and help; look at {sorted(wrong)}")
    return found


def gimp_translations(texts: dict[str, dict[str, dict[str, str]]]) -> dict[str, dict[str, dict[str, str]]]:
    """The same for GIMP's dialog, of the settings in it. Raises SystemExit that names what is missing."""
    names = [s.name for s in SETTINGS.values() if s.part in GIMP and s.kind in (int, float)]
    found = {language: {n: words[n] for n in names} for language, words in texts.items()}
    for language in GIMP_LANGUAGES:
        path = ROOT / "tools" / "translations" / f"{language}.json"
        found[language] = json.loads(path.read_text(encoding="utf-8"))
        wrong = set(found[language]) ^ set(names)
        if wrong or not all(t.get("label") and t.get("help") for t in found[language].values()):
            raise SystemExit(f"{path}: not the numbers of GIMP's dialog; look at {sorted(wrong)}")
    return found


def node_defs(language: str, texts: dict[str, dict[str, str]]) -> dict[str, Any]:
    """locales/LANGUAGE/nodeDefs.json with the settings' and choices' texts in it; the rest as it is."""
    defs = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    for node, inputs in NODES.items():
        for name, setting in inputs.items():
            defs[node]["inputs"][name] = {"name": texts[setting]["label"], "tooltip": texts[setting]["help"]}
    return with_choices(defs, language)


def gimp_row(told: Setting, texts: dict[str, dict[str, dict[str, str]]]) -> dict[str, Any]:
    """A number of the dialog: shares in percent, a squared contrast as percent of contrast."""
    power = 2 if told.unit == CONTRAST else 1
    factor = 0.01 if told.unit in (SHARE, CONTRAST) else 1.0

    def seen(value: float) -> float:
        return round(value ** (1 / power) / factor, 6)

    step = seen(told.step or 1) if power == 1 else 0.1
    return {
        "argument": GIMP_NAMES.get(told.name, told.name.replace("_", "-")),
        "setting": told.name,
        "whole": told.kind is int,
        "factor": factor,
        "power": power,
        "minimum": seen(told.minimum or 0),
        "maximum": seen(told.slider or told.maximum or 1),
        "default": seen(getattr(BALANCED, told.name)),
        "digits": next(d for d in range(5) if abs(step * 10**d - round(step * 10**d)) < 1e-9),
        "percent": factor != 1.0,
        "label": {language: words[told.name]["label"] for language, words in texts.items()},
        "help": {language: words[told.name]["help"] for language, words in texts.items()},
    }


def documentation() -> str:
    """docs/settings.md: a table of every setting, and what the recipes make of them."""
    names = [n for n in RECIPES if n != "demo"]
    lines = [
        "# Settings",
        "",
        "Made by `python tools/texts.py` of the declarations in `nuggy_nodes/core/recipes.py`. On the command line a",
        'setting is an option (`--min-area 0.001`), in Python a keyword of `recipe()`: `recipe("best", passes=3)`.',
        "",
        f"| setting | range | {' | '.join(names)} | what it does |",
        f"|---|---|{'---|' * len(names)}---|",
    ]
    for told in SETTINGS.values():
        values = [getattr(RECIPES[n], told.name) for n in names]
        shown = [
            " ".join(map(str, v)) if isinstance(v, tuple) else f"{v:g}" if told.kind is float else v for v in values
        ]
        scope = told.allowed + (f" {told.unit}" if told.unit and told.unit != SHARE else "")
        lines.append(f"| `{told.name}` | {scope} | {' | '.join(map(str, shown))} | {told.help} |")
    return "\n".join(lines) + "\n"


def files() -> Iterator[tuple[Path, str]]:
    """Every file that is made here, and what it should hold."""
    texts = translations()
    for language, words in texts.items():
        defs = node_defs(language, words)
        yield ROOT / "locales" / language / "nodeDefs.json", json.dumps(defs, ensure_ascii=False, indent=2) + "\n"
        if language in HEADINGS:
            yield from help_pages(language, defs)
    spoken = gimp_translations(texts)
    rows = [gimp_row(s, spoken) for s in SETTINGS.values() if s.part in GIMP and s.kind in (int, float)]
    yield ROOT / "gimp_plugin" / "nuggy" / "settings.json", json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
    page = {n: {language: words[n] for language, words in texts.items()} for n in SETTINGS}
    yield (
        ROOT / "nuggy_nodes" / "demo" / "words" / "settings.json",
        json.dumps(page, ensure_ascii=False, indent=1) + "\n",
    )
    yield ROOT / "docs" / "settings.md", documentation()


def main() -> int:
    stale = [(path, text) for path, text in files() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{path.relative_to(ROOT)} is out of date; run python tools/texts.py" if "--check" in sys.argv else path)
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
