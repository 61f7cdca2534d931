"""ComfyUI's texts that are made of others: translated choices in the locales, and the help pages but the English ones.

A help page in another language is made of the node's translated texts, the pictures of the English page and, for inputs
with choices, what the page shows for each. So nothing is translated twice and nothing can be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "web" / "docs"
HEADINGS = {"ko": ("입력", "출력"), "ja": ("入力", "出力"), "zh": ("输入", "输出")}
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


def choices() -> dict[str, Any]:
    """inputs: the choices of each node's inputs; words: each choice in each language."""
    found: dict[str, Any] = json.loads((ROOT / "tools" / "translations" / "choices.json").read_text(encoding="utf-8"))
    return found


def with_choices(defs: dict[str, Any], language: str) -> dict[str, Any]:
    """nodeDefs of a language, the inputs with choices having `options`: what to show for each."""
    told = choices()
    for node, inputs in told["inputs"].items():
        for name, values in inputs.items():
            if language in HEADINGS:
                defs[node]["inputs"][name]["options"] = {v: told["words"][v][language] for v in values}
    return defs


def help_pages(language: str, defs: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Every node's page in a language other than English."""
    for node, texts in defs.items():
        english = (DOCS / f"{node}.md").read_text(encoding="utf-8")
        lines = [f"# {texts['display_name']}", "", texts["description"], ""]
        for name in PICTURE.findall(english):
            lines += [f"![{texts['display_name']}]({name})", ""]
        for heading, parts in zip(HEADINGS[language], (texts["inputs"], texts["outputs"])):
            lines += [f"## {heading}", ""]
            for part in parts.values():
                lines.append(f"- **{part['name']}**: {part['tooltip']}")
                lines += [f"  - {word} (`{value}`)" for value, word in part.get("options", {}).items()]
            lines.append("")
        yield DOCS / node / f"{language}.md", "\n".join(lines[:-1]) + "\n"
