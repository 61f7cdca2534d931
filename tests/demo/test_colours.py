"""The page's own colours against WCAG 2.2: words on buttons 4.5 (AA, 1.4.3), a button on its ground 3 (1.4.11)."""

import argparse

import pytest

from nuggy_nodes.cli import demo
from nuggy_nodes.cli.network import NAMES
from nuggy_nodes.service.limits import Limits

GROUNDS = {"light": ("#ffffff", "#f0f2f6"), "dark": ("#0e1117", "#262730")}  # Streamlit's: page, sidebar


def light(colour: str) -> float:
    """WCAG's relative luminance."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", GROUNDS)
def test_buttons_are_read_and_seen(scheme):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    said = dict.fromkeys(("token", "language", "device", "precision"), "") | dict.fromkeys(NAMES)
    args = argparse.Namespace(**said | {"host": "127.0.0.1", "port": 1, "no_browser": True})
    told = demo.options(args, Limits())
    (colour,) = (t.split("=")[1] for t in told if t.startswith(f"--theme.{scheme}.primaryColor="))
    assert contrast("#ffffff", colour) >= 4.5
    assert all(contrast(ground, colour) >= 3 for ground in GROUNDS[scheme])
