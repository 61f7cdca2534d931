"""The page's words: every language has every key, with the same places for values."""

import json
import re
import string

import pytest

import nuggy_nodes
from nuggy_nodes.core.recipes import SETTINGS

HERE = __import__("pathlib").Path(nuggy_nodes.__file__).parent / "demo"
TABLES = {n: json.loads((HERE / "words" / f"{n}.json").read_text("utf-8")) for n in ("en", "ko", "ja", "zh")}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", ["ko", "ja", "zh"])
def test_languages_say_the_same(language):
    assert TABLES[language].keys() == TABLES["en"].keys()
    for key, text in TABLES[language].items():
        assert text and places(text) == places(TABLES["en"][key]), key


def test_every_word_that_the_page_says_is_there_and_no_other():
    source = "".join(p.read_text("utf-8") for p in HERE.rglob("*.py"))
    said = set(re.findall(r'(?:\bw\(\s*|table\(\w+\)\[)"([a-z_]+)"', source))
    exact = {k for k in said if not k.endswith("_")}
    starts = (*(k for k in said if k.endswith("_")), "fault_")
    assert exact <= TABLES["en"].keys(), exact - TABLES["en"].keys()
    assert {k for k in TABLES["en"] if k not in exact and not k.startswith(starts)} == set()


def test_settings_are_in_four_languages():
    told = json.loads((HERE / "words" / "settings.json").read_text("utf-8"))
    assert told.keys() == SETTINGS.keys()
    assert all(told[n][language]["help"] for n in told for language in TABLES)
