"""The page's words in four languages: its own in words/, the settings' from the project's translations."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st

LANGUAGES = {"en": "English", "ko": "한국어", "ja": "日本語", "zh": "中文"}
MARKS = "\\`*_{}[]()<>#+-!|~$:=\"'&"  # what Markdown, formulas and named icons are made of
HERE = Path(__file__).parent / "words"


@cache
def table(language: str) -> dict[str, str]:
    """The page's own words, by key."""
    return json.loads((HERE / f"{language}.json").read_text("utf-8"))


@cache
def settings() -> dict[str, dict[str, dict[str, str]]]:
    """Label and help of the settings, by setting and language."""
    return json.loads((HERE / "settings.json").read_text("utf-8"))


def w(key: str, **values: object) -> str:
    """Words in the language of the page."""
    return table(language())[key].format(**values)


def label(name: str) -> str:
    """A setting's label."""
    return settings()[name][language()]["label"].capitalize()


def told(name: str) -> str:
    """A setting's help."""
    return settings()[name][language()]["help"]


def language() -> str:
    """The language of the page: what was chosen there."""
    return str(st.session_state.get("language", "en"))


def preferred(given: str | None) -> str:
    """The language to begin with: the one that the page was started with, or the browser's, or English."""
    return known(given or st.context.locale or "")


def known(tag: str) -> str:
    """The page's language for a language tag, or for a list of them as browsers send it; English for others."""
    found = tag.strip()[:2].lower()
    return found if found in LANGUAGES else "en"


def plain(text: str) -> str:
    """A foreign name inside words that are read as Markdown: shown letter by letter, never as a link or a picture."""
    return "".join(f"\\{c}" if c in MARKS else " " if c.isspace() else c for c in text)
