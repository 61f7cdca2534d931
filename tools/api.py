"""Writes docs/api.md, the page of the Python door, of docstrings and declarations; nothing of the package is run.

python tools/api.py           # writes
python tools/api.py --check   # says whether it is out of date, exit status 1
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE, PAGE = ROOT / "nuggy_nodes" / "core", ROOT / "docs" / "api.md"
ROOMS = {
    "ops": "pictures as such",
    "refine": "where exactly the subject's edge is",
    "segment": "what is subject",
    "foreground": "whose colours",
    "inpaint": "before and behind a diffusion model",
    "network": "what runs, and how it is read",
}
SECTION = re.compile(r"^(Args|Returns|Raises):\n", re.M)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def door() -> dict[str, tuple[str, ...]]:
    """What `nuggy_nodes.core` gives, by the module that it stands in."""
    for node in tree(CORE / "__init__.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_PLACES":
            return ast.literal_eval(node.value)  # type: ignore[no-any-return]
    raise SystemExit("nuggy_nodes/core/__init__.py declares no _PLACES")


def public(path: Path, names: tuple[str, ...] = ()) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes of a file without an underscore, or the named ones; of overloads the last."""
    found = {n.name: n for n in tree(path).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    for name, node in found.items():
        if name in names or (not names and not name.startswith("_")):
            yield node


def signature(node: ast.FunctionDef) -> str:
    given = ast.unparse(node.args).replace("'", '"')
    made = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({re.sub(r'^(self|cls)(, )?', '', given)}){made}"


def sections(doc: str) -> str:
    """A docstring in Markdown: Args, Returns and Raises as lists."""
    head, *rest = SECTION.split(doc)
    out = [re.sub(r"\n {4}(?=\S)", "\n    ", head.strip())]
    for title, text in zip(rest[::2], rest[1::2]):
        lines: list[str] = []
        for line in text.rstrip().splitlines():
            body = line[4:]
            named = re.match(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*): (.*)", body)
            if title != "Returns" and named:
                lines.append("- " + ", ".join(f"`{n}`" for n in named[1].split(", ")) + f": {named[2]}")
            elif lines:
                lines.append(f"  {body.strip()}")
            else:
                lines.append(f"- {body.strip()}")
        out.append(f"*{title}*\n\n" + "\n".join(lines))
    return "\n\n".join(out)


def entry(node: ast.FunctionDef | ast.ClassDef, level: str, owner: str = "") -> Iterator[str]:
    """A function or a class with its public methods."""
    doc = sections(ast.get_docstring(node) or "")
    if isinstance(node, ast.FunctionDef):
        marks = {ast.unparse(d).split(".")[-1] for d in node.decorator_list}
        shown = node.name if marks & {"property", "cached_property"} else signature(node)
        yield f"{level} `{owner}{shown}`\n\n{doc}\n"
        return
    yield f"{level} `{node.name}`\n\n{doc}\n"
    fields = [n for n in node.body if isinstance(n, ast.AnnAssign) and not ast.unparse(n.target).startswith("_")]
    if fields and node.name != "Recipe":
        yield "```python\n" + "\n".join(ast.unparse(f).replace("'", '"') for f in fields) + "\n```\n"
    if node.name == "Recipe":
        yield "Its settings are in [settings.md](settings.md).\n"
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and ast.get_docstring(method):
            yield from entry(method, level + "#", f"{node.name}.")


def page() -> str:
    """The whole of docs/api.md."""
    out = [
        "# The Python door\n",
        "Made by `python tools/api.py` of the docstrings. Tensors are float, [B,3,H,W] for pictures and [B,1,H,W] for "
        "masks, values 0 to 1, sRGB-encoded; 1 is subject. What follows is imported from `nuggy_nodes.core`; the "
        "tables below it name what who builds a step will find in its rooms.\n",
    ]
    told = door()
    for module, names in told.items():
        for node in public(CORE / f"{module.replace('.', '/')}.py", names):
            out += entry(node, "##")
    constants = sorted({n for names in told.values() for n in names if n.isupper()})
    out.append(f"Constants: {', '.join(f'`{c}`' for c in constants)}, the shipped recipes by name.\n")
    for room, what in ROOMS.items():
        out.append(f"## {room}/: {what}\n\n| file | function | |\n|---|---|---|")
        for path in sorted((CORE / room).glob("*.py")):
            for node in public(path):
                first = (
                    re.split(r"\n\n|(?<=\.)\s", ast.get_docstring(node) or "")[0].replace("\n", " ").replace("|", "\\|")
                )
                if first and node.name not in told.get(f"{room}.{path.stem}", ()):
                    out.append(f"| {path.stem} | `{node.name}` | {first} |")
        out.append("")
    return "\n".join(out)


def main() -> int:
    text = page()
    stale = not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text
    if "--check" in sys.argv:
        if stale:
            print("docs/api.md is out of date; run python tools/api.py")
        return int(stale)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
