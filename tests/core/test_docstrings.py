"""Docstrings that a tool can read: what every public function of the core and of the nodes says of itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import nuggy_nodes

PACKAGE = Path(nuggy_nodes.__file__).parent
FILES = sorted([*(PACKAGE / "core").rglob("*.py"), *(PACKAGE / "nodes").glob("*.py")])
# said by who calls them: torch's modules, ComfyUI's nodes (inputs have their tooltips), the protocol of networks
ELSEWHERE = {"forward", "define_schema", "execute", "validate_inputs", "fingerprint_inputs", "get_node_list"}
SECTION = re.compile(r"^(Args|Returns|Raises):\n((?:(?: {4}.*)?(?:\n|$))+)", re.M)


def public(node: ast.AST, name: str = "") -> Iterator[tuple[str, ast.FunctionDef, bool]]:
    """Functions and methods without an underscore: dotted name, definition, whether it is a property."""
    for child in getattr(node, "body", []):
        if child.__class__ is ast.ClassDef and not child.name.startswith("_"):
            yield from public(child, f"{name}{child.name}.")
        elif child.__class__ is ast.FunctionDef and not child.name.startswith("_"):
            marks = {ast.unparse(d).split(".")[-1] for d in child.decorator_list}
            if "overload" not in marks and child.name not in ELSEWHERE:
                yield f"{name}{child.name}", child, bool(marks & {"property", "cached_property"})


def arguments(function: ast.FunctionDef) -> list[str]:
    a = function.args
    named = [x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs) if x.arg not in ("self", "cls")]
    more = [f"{stars}{x.arg}" for stars, x in (("*", a.vararg), ("**", a.kwarg)) if x]
    return named + more


def described(section: str) -> list[str]:
    """The names of an Args section; one line may have several."""
    return [n for line in re.findall(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*): ", section, re.M) for n in line.split(", ")]


def faults(function: ast.FunctionDef, is_property: bool) -> list[str]:
    doc = ast.get_docstring(function) or ""
    sections, named = dict(SECTION.findall(doc)), arguments(function)
    found = [] if doc else ["no docstring"]
    if doc and not re.match(r"[A-Z0-9\[\"'`(a-z].*[.:]\Z", doc.split("\n\n")[0], re.S):
        found.append("its first paragraph is no sentence")
    if is_property:
        return found
    if function.name == "see" and "protocol.AnyNetwork.see" in doc:
        return found
    if sorted(described(sections.get("Args", ""))) != sorted(named):
        found.append(f"Args {described(sections.get('Args', ''))}, arguments {named}")
    returns = ast.unparse(function.returns) if function.returns else "None"
    if named and (returns != "None") != ("Returns" in sections):  # without arguments the first line says it
        found.append("Returns")
    raised = {
        n.exc.func.id
        for n in ast.walk(function)
        if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call) and isinstance(n.exc.func, ast.Name)
    }
    told = set(re.findall(r"^ {4}(\w+): ", sections.get("Raises", ""), re.M))
    if raised - told or "Raises " in doc:
        found.append(f"Raises {sorted(told)}, raised {sorted(raised)}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_public_function_says_what_it_takes_gives_and_raises(path):
    wrong = {
        name: found
        for name, function, is_property in public(ast.parse(path.read_text(encoding="utf-8")))
        if (found := faults(function, is_property))
    }
    assert not wrong


def test_the_test_sees():
    def wrong(text: str) -> list[str]:
        (_, function, is_property), *_ = public(ast.parse(text))
        return faults(function, is_property)

    doc = "Sum.\n\n    Args:\n        a, b: numbers.\n\n    Returns:\n        Their sum.\n    "
    good = f'def f(a, *, b):\n    """{doc}"""\n'
    assert wrong(good.replace("b):", "b) -> int:")) == []
    assert wrong(good) == ["Returns"], "it gives nothing"
    for text in ("def f(): pass", 'def f(a):\n    """Nothing."""', good.replace("a, b: n", "a: n")):
        assert wrong(text)
    assert "Raises" in wrong('def f():\n    """Stop."""\n    raise InputError("no")')[0]
