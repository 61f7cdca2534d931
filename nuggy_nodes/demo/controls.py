"""The sidebar's upper part: the recipe, the demo's two sliders, and every other setting from its declaration."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ..core.recipes import RECIPES, SETTINGS, Recipe, recipe
from ..core.settings import SHARE, Setting
from .words import label, told, w

NAMES = ("fast", "balanced", "best")
OWN = ("views", "fill")  # of SETTINGS: words that are typed on the command line
EXPERT = ("black", "gamma", "radius")  # have sliders of the demo's own
GAP = 0.05  # that white stays above black


def expert(cutoff: float, sharpness: float, found: Recipe) -> dict[str, float]:
    """The demo's two sliders as settings: the noise cutoff is the black point; sharpness is the exponent, with the
    demo's 0.5 for the recipe's own, below it fuller and above it thinner, as there."""
    white = max(found.white, min(cutoff + GAP, 1.0))
    return {"black": cutoff, "white": white, "gamma": round(found.gamma * 2 * sharpness, 4)}


def chosen() -> Recipe:
    """What the sidebar asks for."""
    name = st.radio(w("recipe"), NAMES, index=1, key="recipe", horizontal=True, format_func=lambda n: w("recipe_" + n),
                    help=w("recipe_help")) or NAMES[1]  # fmt: skip
    found = RECIPES[name]
    changes: dict[str, Any] = {}
    with st.expander(w("expert")):
        cutoff = st.slider(w("cutoff"), 0.0, 0.9, found.black, 0.01, key=_key("cutoff", name), help=w("cutoff_help"))
        sharp = st.slider(w("sharpness"), 0.1, 0.9, 0.5, 0.05, key=_key("sharp", name), help=w("sharpness_help"))
        if (cutoff, sharp) != (found.black, 0.5):
            changes |= expert(cutoff, sharp, found)
        changes |= _one(SETTINGS["radius"], found)
        if st.toggle(w("all_settings"), key="all"):
            for s in SETTINGS.values():
                if s.name not in (*OWN, *EXPERT, "white"):
                    changes |= _one(s, found)
        st.button(w("reset"), key="reset", on_click=_reset, args=(name,))
    return recipe(name, **changes)


def _key(setting: str, name: str) -> str:
    """A field's key. Only a field of another key begins with its default again."""
    return f"{setting}-{name}-{st.session_state.get('resets-' + name, 0)}"


def _reset(name: str) -> None:
    st.session_state["resets-" + name] = st.session_state.get("resets-" + name, 0) + 1


def _one(s: Setting, found: Recipe) -> dict[str, Any]:
    """A field for a setting; what it says, if that is not the recipe's own."""
    own, key = getattr(found, s.name), _key(s.name, found.name)
    name = label(s.name)
    if s.kind is str:
        value = st.selectbox(name, s.choices, s.choices.index(own), key=key, help=told(s.name))
        return {} if value == own else {s.name: value}
    scale = 100.0 if s.unit == SHARE else 1.0
    most = s.slider or s.maximum or 1
    if s.name == "epsilon":
        value = st.number_input(name, float(s.minimum or 0), float(most), own, 1e-5, "%.6f", key=key,
                                help=told(s.name))  # fmt: skip
        return {} if value == own else {s.name: value}
    low, high, step = ((x or 0) * scale for x in (s.minimum, most, s.step))
    if s.kind is int:
        value = st.slider(name, int(low), int(high), int(own), int(step), key=key, help=told(s.name))
        return {} if value == own else {s.name: value}
    digits = "%.2f" if step < 0.1 else "%.1f" if step < 1 else "%.0f"
    shown = st.slider(name + (" (%)" if scale > 1 else ""), low, high, own * scale, step, digits, key=key,
                      help=told(s.name))  # fmt: skip
    return {} if abs(shown - own * scale) < 1e-9 else {s.name: round(shown / scale, 9)}


def options(asked: Recipe) -> list[str]:
    """The recipe as options of `nuggy cutout`."""
    own = RECIPES[asked.name]
    said = [] if asked.name == "balanced" else ["--recipe", asked.name]
    for s in SETTINGS.values():
        value = getattr(asked, s.name)
        if value != getattr(own, s.name):
            said += ["--" + s.name.replace("_", "-"), value if s.kind is str else f"{value:g}"]
    return said
