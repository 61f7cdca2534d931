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

from nuggy_nodes.bridge import protocol
from nuggy_nodes.core.recipes import RECIPES, recipe

REPOSITORY = Path(__file__).resolve().parents[2]
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
def arguments() -> types.ModuleType:
    gi, words = types.ModuleType("gi"), types.ModuleType("words")
    repository = types.ModuleType("gi.repository")
    repository.Gimp = repository.GObject = None  # type: ignore[attr-defined]
    words._ = lambda text: text  # type: ignore[attr-defined]
    return load(PLUGIN / "arguments.py", **{"gi": gi, "gi.repository": repository, "words": words})


def test_settings_are_a_recipes(arguments: types.ModuleType) -> None:
    values = {row[0]: row[5] for row in arguments.FINE} | {"keep": "subject", "fine-tune": True}
    sent = arguments.settings(values.get)
    balanced = RECIPES["balanced"]
    assert sent == pytest.approx(
        {k: getattr(balanced, k) for k in sent if k != "islands"} | {"islands": sent["islands"]}
    )
    assert recipe("balanced", **sent).islands == balanced.islands
    assert arguments.settings({**values, "fine-tune": False}.get) == {"islands": "subject"}

    class Config(dict):
        get_property, find_property = dict.__getitem__, dict.get

    given = Config(values | {"recipe": "fast", "existing-mask": "add", "fine-tune": False})
    assert arguments.of(given)["settings"] == {"islands": "subject", "foreground": "none"}  # behind a mask
    given["foreground"] = "blur-fusion"
    assert recipe(**{"which": "fast"} | arguments.of(given)["settings"]).foreground == "blur-fusion"
    for name in arguments.RECIPES:
        recipe(name)
    assert arguments.EXISTING == protocol.EXISTING


def test_only_gi_and_the_standard_library() -> None:
    own = {p.stem for p in PLUGIN.glob("*.py")} | {"nuggy_bridge", "gi"}
    shared = [REPOSITORY / "nuggy_nodes" / "bridge" / f"{n}.py" for n in ("protocol", "place", "launch", "client")]
    for path in [*PLUGIN.glob("*.py"), *shared]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                assert name.split(".")[0] in own | sys.stdlib_module_names, f"{path.name} imports {name}"


@pytest.fixture(scope="module")
def translations() -> types.ModuleType:
    return load(REPOSITORY / "gimp_plugin" / "translations.py")


@pytest.mark.parametrize("language", ["ko", "ja", "zh_CN"])
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


def test_letters_of_the_dialog_are_free(translations: types.ModuleType) -> None:
    letters = [m[1].lower() for t in translations.messages() if (m := re.search(r"_(\w)", t)) and "..." not in t]
    assert len(letters) == len(set(letters)), sorted(letters)
    assert not set(letters) & set("ocrhls"), "these belong to GIMP's own buttons"
