"""Translations of the plug-in: `python gimp_plugin/translations.py` brings the .po files in step with the source and
compiles them to the .mo files that GIMP reads. Plain gettext files; no tool is needed but this one.
"""

from __future__ import annotations

import ast
import re
import struct
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "nuggy"
LANGUAGES = ("ko", "ja", "zh_CN", "de", "fr", "es")
HEADER = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nLanguage: {0}\n"


def messages(folder: Path = SOURCE) -> list[str]:
    """Every text in the plug-in's files that goes through _(), in order."""
    found: dict[str, None] = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                found[ast.literal_eval(node.args[0])] = None
    return list(found)


def po_path(language: str) -> Path:
    return SOURCE / "locale" / language / "LC_MESSAGES" / "nuggy.po"


def parse(text: str) -> dict[str, str]:
    """A .po file's messages, the header (under "") left out. Plurals and contexts are not used here."""
    out: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        parts: dict[str, str] = {}
        at = ""
        for line in block.splitlines():
            word = re.match(r"(msgid|msgstr)\s+", line)
            if word:
                at, line = word[1], line[word.end() :]
                parts[at] = ""
            if at and line.startswith('"'):
                parts[at] += ast.literal_eval(line)
        if parts.get("msgid"):
            out[parts["msgid"]] = parts.get("msgstr", "")
    return out


def write(language: str, known: dict[str, str]) -> str:
    """A .po file with all messages, translated where `known` has them."""

    def quote(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    blocks = [f'msgid ""\nmsgstr {quote(HEADER.format(language))}']
    blocks += [f"msgid {quote(m)}\nmsgstr {quote(known.get(m, ''))}" for m in messages()]
    return "\n\n".join(blocks) + "\n"


def compile_mo(known: dict[str, str], language: str) -> bytes:
    """The binary form (GNU gettext manual, "The Format of GNU MO Files"), messages sorted, without a hash table."""
    pairs = sorted((k.encode(), v.encode()) for k, v in {"": HEADER.format(language), **known}.items() if v)
    count, start = len(pairs), 28 + 16 * len(pairs)
    tables: list[list[int]] = [[], []]
    body = b""
    for side in (0, 1):
        for pair in pairs:
            tables[side] += [len(pair[side]), start + len(body)]
            body += pair[side] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, start)
    return head + struct.pack(f"<{4 * count}I", *tables[0], *tables[1]) + body


def main() -> int:
    missing = 0
    for language in LANGUAGES:
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        known = parse(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(write(language, known), encoding="utf-8")
        path.with_suffix(".mo").write_bytes(compile_mo({m: known.get(m, "") for m in messages()}, language))
        lacks = [m for m in messages() if not known.get(m)]
        missing += len(lacks)
        print(f"{path}: {len(messages()) - len(lacks)} translated, {len(lacks)} not")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
