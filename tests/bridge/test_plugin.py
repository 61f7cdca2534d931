"""What the plug-in repeats from the core, since it cannot import it, and its translations."""

from __future__ import annotations

import ast
import gettext
import importlib.util
import re
import string
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from nuggy_nodes.bridge import folder, job
from nuggy_nodes.core.recipes import RECIPES, recipe

REPOSITORY = Path(__file__).resolve().parents[2]
BRIDGE = REPOSITORY / "nuggy_nodes" / "bridge"
PLUGIN = REPOSITORY / "gimp_plugin" / "nuggy"


def load(path: Path, **modules: Any) -> types.ModuleType:
    """A file as a module, with stand-ins for what it imports."""
    spec = importlib.util.spec_from_file_location("plugin_" + path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    kept = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        spec.loader.exec_module(module)
    finally:
        for name, old in kept.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old
    return module


@pytest.fixture
def values() -> types.ModuleType:
    return _settings()[0]


@pytest.fixture
def arguments() -> types.ModuleType:
    return _settings()[1]


def _settings() -> tuple[types.ModuleType, types.ModuleType]:
    """values.py, and arguments.py over it."""
    gi, words = types.ModuleType("gi"), types.ModuleType("words")
    repository = types.ModuleType("gi.repository")
    repository.Gimp = repository.GObject = repository.GLib = None  # type: ignore[attr-defined]
    words._ = lambda text: text  # type: ignore[attr-defined]
    around = {"gi": gi, "gi.repository": repository, "words": words}
    values = load(PLUGIN / "values.py", **around)
    return values, load(PLUGIN / "arguments.py", **around, values=values)


class Config(dict):
    """A procedure's configuration, as far as the settings use it."""

    get_property, find_property, set_property = dict.__getitem__, dict.get, dict.__setitem__


def test_settings_are_a_recipes(arguments: types.ModuleType, values: types.ModuleType) -> None:
    chosen = {row["argument"]: row["default"] for row in values.FINE} | {
        "keep": "subject",
        "fine-tune": True,
        "passes": 0,
    }
    sent = arguments.settings(chosen.get)
    balanced = RECIPES["balanced"]
    assert sent == pytest.approx(
        {k: getattr(balanced, k) for k in sent if k != "islands"} | {"islands": sent["islands"]}
    )
    assert recipe("balanced", **sent).islands == balanced.islands
    assert arguments.settings({**chosen, "fine-tune": False}.get) == {"islands": "subject"}

    given = Config(chosen | {"recipe": "fast", "existing-mask": "add", "fine-tune": False})
    said = arguments.of(given)
    assert said["settings"] == {"islands": "subject", "foreground": "none"}  # behind a mask
    assert said["start"] == "network" and arguments.of(Config({"keep": "all"}))["start"] == "mask"
    given["foreground"] = "none"
    assert recipe(**{"which": "fast"} | arguments.of(given)["settings"]).foreground == "none"
    assert recipe("best", **sent).passes == RECIPES["best"].passes  # 0 leaves it to the recipe
    assert recipe("best", **arguments.settings({**chosen, "passes": 1}.get)).passes == 1
    named = {row[0]: tuple(value[0] for value in row[4]) for row in values.choices()}
    for name in named["recipe"]:
        recipe(name)
    assert named["existing-mask"] == job.EXISTING and named["selection"] == job.SELECTION
    given["passes"] = 0
    assert values.wrong(given) == ""
    for name in named:
        assert "bset" in values.wrong(Config({**given, name: "bset"})), name
    for name, of in values.RANGES.items():
        for wrong in (of.minimum - 0.01, of.maximum + 1, float("nan"), float("inf")):
            assert f"“{name}”" in values.wrong(Config({**given, name: wrong})), (name, wrong)
        assert (
            values.wrong(Config({**given, name: of.minimum})) == values.wrong(Config({**given, name: of.maximum})) == ""
        )


def test_a_dialogs_values_are_mended(values: types.ModuleType) -> None:
    """What another version of Nuggy has stored does not shut the dialog."""
    config = Config(recipe="worst", radius=9999.0, gamma=float("nan"), black=-4.0, keep="all")
    values.mend(config)
    assert config == {"recipe": "balanced", "radius": 128.0, "gamma": 1.0, "black": 0.0, "keep": "all"}


def test_only_gi_and_the_standard_library() -> None:
    own = {p.stem for p in PLUGIN.glob("*.py")} | {"nuggy_bridge", "gi"}
    shared = [BRIDGE / f"{name}.py" for name in folder.SHARED]
    for path in [*PLUGIN.glob("*.py"), *shared]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                assert name.split(".")[0] in own | sys.stdlib_module_names, f"{path.name} imports {name}"
        for node in ast.parse(path.read_text(encoding="utf-8")).body:  # when it is loaded, on every platform
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            assert not {"fcntl", "pwd", "grp", "termios", "resource", "msvcrt", "winreg"} & set(names), path.name


@pytest.fixture(scope="module")
def translations() -> types.ModuleType:
    return load(REPOSITORY / "gimp_plugin" / "translations.py")


@pytest.mark.parametrize("language", ["ko", "ja", "zh_CN", "de", "fr", "es"])
def test_translations(translations: types.ModuleType, language: str) -> None:
    path = translations.po_path(language)
    known = translations.parse(path.read_text(encoding="utf-8"))
    assert list(known) == translations.messages(), "run python gimp_plugin/translations.py"
    assert path.with_suffix(".mo").read_bytes() == translations.compile_mo(known, language)
    with open(path.with_suffix(".mo"), "rb") as f:
        compiled = gettext.GNUTranslations(f)
    for text, translated in known.items():
        assert translated and compiled.gettext(text) == translated
        fields = [sorted(f for _, f, _, _ in string.Formatter().parse(t) if f is not None) for t in (text, translated)]
        assert fields[0] == fields[1], text
        assert len(re.findall(r"_\w", text)) == len(re.findall(r"_\w", translated)), text


@pytest.mark.parametrize("language", ["en", "ko", "ja", "zh_CN"])
def test_help_page(translations: types.ModuleType, language: str) -> None:
    """Every language's page has the same parts, under the words that the dialog itself uses in that language."""
    from xml.etree import ElementTree

    folder = PLUGIN / "help" / language
    items = ElementTree.parse(folder / "gimp-help.xml").getroot()
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert [i.get("id") for i in items] == [
        f"plug-in-nuggy-{n}" for n in ("remove-background", "cut-out", "refine-mask")
    ]
    for item in items:
        file, _, anchor = item.get("ref", "").partition("#")
        assert (folder / file).is_file() and (not anchor or f'id="{anchor}"' in text)
        assert f">{item.get('title')}</h" in text
    known = {m: m for m in translations.messages()}
    if language != "en":
        known = translations.parse(translations.po_path(language).read_text(encoding="utf-8"))
    said = ["_Remove Background...", "_Cut Out to New Layer...", "Reci_pe", "_Keep", "_Existing mask", "Fine tuning",
            "Pre_view", "Balanced", "The subject", "One part", "Everything found", "_Use these values",
            "Hide the origi_nal layer", "The selection is", "The subject's box", "The subject, roughly", "Keep",
            "Drop", "Take back", "Clear", "Uncertaint_y"]  # fmt: skip
    for message in said:
        plain = re.sub(r"\(_\w\)|_|\.\.\.$", "", known[message])
        assert re.search(f">{re.escape(plain)}<".replace(r"\ ", r"\s"), text), plain
    assert len(re.findall("<dt>", text)) == 6 and len(re.findall("<p>", text)) == 5


def test_letters_of_the_dialog_are_free(translations: types.ModuleType) -> None:
    letters = [m[1].lower() for t in translations.messages() if (m := re.search(r"_(\w)", t)) and "..." not in t]
    assert len(letters) == len(set(letters)), sorted(letters)
    assert not set(letters) & set("ocrhls"), "these belong to GIMP's own buttons"


@pytest.mark.parametrize(
    ("black", "white", "changed", "after"),
    [(10, 90, "black", (10, 90)), (95, 90, "black", (95, 96)), (10, 5, "white", (4, 5)), (99, 90, "black", (99, 100)),
     (50, 50, "white", (49, 50))],
)  # fmt: skip
def test_black_stays_below_white(
    values: types.ModuleType, black: float, white: float, changed: str, after: tuple[float, float]
) -> None:
    config = Config(black=black, white=white)
    values.keep_apart(config, changed)
    assert (config["black"], config["white"]) == after
