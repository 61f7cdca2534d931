"""--network and what may be said of it; `nuggy weights list`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core.network.description import Options
    from ..core.network.known import Triple

NAMES = ("network", "network_mean", "network_std", "network_size", "network_answer", "network_output")
TORCH = {"openvino": "cpu", "directml": "cpu", "coreml": "cpu", "rocm": "auto"}  # where torch works beside ONNX Runtime


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a subcommand the options."""
    group = parser.add_argument_group("network", "another network than the default; `nuggy weights list` shows them")
    group.add_argument("--network", "--weights", metavar="NAME|FILE", help="a network on this machine by its name, "
                       "or a file: an .onnx with a picture in and a mask out; IS-Net in other files too")  # fmt: skip
    group.add_argument("--network-mean", type=_triple, metavar="R[,G,B]", help="what is taken off RGB values 0..1, "
                       "for an .onnx file that is not known (default: as the file says, else ImageNet's)")  # fmt: skip
    group.add_argument("--network-std", type=_triple, metavar="R[,G,B]", help="what they are then divided by")
    group.add_argument("--network-size", type=int, default=0, metavar="PIXELS",
                       help="side of the square, where the file leaves it open (default: 1024)")  # fmt: skip
    group.add_argument("--network-answer", choices=("logits", "probability"), default="",
                       help="what it answers with (default: as the graph shows)")  # fmt: skip
    group.add_argument("--network-output", default="", metavar="NAME",
                       help="which of several outputs: a name, first, or largest (default)")  # fmt: skip


def check(args: argparse.Namespace) -> None:
    """What is said of the network, and whether it is there, before anything is loaded.

    Args:
        args: with add_options' names.

    Raises:
        NuggyError: names what is wrong.
    """
    options(args)
    if args.network:
        from ..core.network.find import resolve

        resolve(args.network)


def options(args: argparse.Namespace) -> Options:
    """What is said of the network."""
    from ..core.errors import InputError
    from ..core.network.description import LARGEST, SMALLEST, Options

    size = args.network_size
    if size and not SMALLEST <= size <= LARGEST:
        raise InputError(f"--network-size is from {SMALLEST} to {LARGEST}; got {size}")
    if args.network_std and min(args.network_std) <= 0:
        raise InputError("--network-std must be above 0")
    return Options(args.network_mean, args.network_std, size, args.network_answer, args.network_output)


def said(args: argparse.Namespace) -> list[str]:
    """The same options for another command line."""
    given = {name: getattr(args, name) for name in NAMES}
    return [f"--{name.replace('_', '-')}={_text(value)}" for name, value in given.items() if value]


def _text(value: Any) -> str:
    return ",".join(f"{v:.9g}" for v in value) if isinstance(value, tuple) else str(value)


def _triple(text: str) -> Triple:
    values = [float(v) for v in text.split(",")]
    if len(values) not in (1, 3) or not all(abs(v) < 1000 for v in values):
        raise ValueError
    return tuple(values * (3 // len(values)))  # type: ignore[return-value]


def print_list(args: argparse.Namespace) -> int:
    """`nuggy weights list`: what is found on this machine."""
    from ..core.network import find
    from ..core.network.tell import tell

    rows = list[dict[str, Any]]()
    for f in find.found():
        told = tell(f.path)
        rows.append({"name": f.name, "place": f.place, "bytes": f.path.stat().st_size, "path": str(f.path)}
                    | dataclasses.asdict(told))  # fmt: skip
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    head = ("NAME", "NETWORK", "SIZE", "MB", "RUNS", "LICENCE", "FROM")
    table = [head] + [
        (r["name"], r["architecture"], r["size"], f"{r['bytes'] / 1e6:.0f}", "no: " + r["runs"] if r["runs"] else "yes",
         r["licence"], r["place"]) for r in rows
    ]  # fmt: skip
    width = [min(max(len(row[i]) for row in table), 60) for i in range(len(head))]
    for row in table:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, width)).rstrip())
    print("\nLooked into:", ", ".join(dict.fromkeys(f"{p} ({d})" for d, p in find.places())))
    return 0
