"""Errors: a caller can catch all that is raised on purpose, and nothing else is raised on purpose."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nuggy_nodes.core import errors
from nuggy_nodes.core.errors import ImageError, InputError, NuggyError, WeightsError

CORE = Path(errors.__file__).parent
OURS = {"InputError", "WeightsError", "ImageError", "NuggyError"}
OF_PYTHON = {"AttributeError", "MemoryError"}  # a module's missing name; memory, which callers know by this


@pytest.mark.parametrize("kind", [InputError, WeightsError, ImageError])
def test_all_are_caught_as_one(kind):
    with pytest.raises(NuggyError, match="told"):
        raise kind("told")


def test_a_wrong_argument_is_a_value_error_and_a_broken_file_is_not():
    assert issubclass(InputError, ValueError)
    assert not issubclass(WeightsError, ValueError) and not issubclass(ImageError, ValueError)


def test_the_core_raises_nothing_else():
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                assert node.exc.func.id in OURS | OF_PYTHON, f"{path}:{node.lineno}"
