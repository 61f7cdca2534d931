"""Options that say what a result is, for every command that makes some, and their checks."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import InputError

if TYPE_CHECKING:
    from ..core import Recipe
    from .work import Output

OUTPUTS = ("rgba", "mask", "composite")


def add_options(p: argparse.ArgumentParser) -> None:
    """Give a subcommand the options; --format and --quality are its own, for the formats differ."""
    p.add_argument("--output", choices=OUTPUTS, help="what to write: a picture with transparency (rgba, default), the "
                   "mask, or the subject over --background (composite, default for jpeg)")  # fmt: skip
    p.add_argument("--background", metavar="COLOUR|IMAGE", help="for a composite: a colour (white, #30a0ff, "
                   "'rgb(0,128,0)') or a picture, which is scaled to fill the frame (default: white)")  # fmt: skip
    p.add_argument("--smallest", action="store_true", help="take the time for the smallest file; hidden pixels become "
                   "black, unless --fill says otherwise")  # fmt: skip
    p.add_argument("--strip", action="store_true", help="leave out the photograph's EXIF block")
    p.add_argument("--max-megapixels", type=float, default=160.0, metavar="N",
                   help="refuse larger photographs before they are decoded (default: 160)")  # fmt: skip
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps; for an .onnx network "
                   "rocm, coreml, openvino or directml too (default: auto)")  # fmt: skip
    p.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16", "int8"),
                   help="arithmetic of the network (default: what the device does well)")  # fmt: skip


def check(args: argparse.Namespace) -> None:
    """Raises InputError for numbers out of their range."""
    if args.quality is not None and not 1 <= args.quality <= 100:
        raise InputError(f"--quality must be from 1 to 100; got {args.quality}")
    if not args.max_megapixels > 0:
        raise InputError(f"--max-megapixels must be above 0; got {args.max_megapixels:g}")


def choose_output(args: argparse.Namespace) -> None:
    """Set args.output where it is not given, for args.format. Raises InputError where they do not go together."""
    if args.format == "avif":
        from ..pictures.pillow import has_avif

        if not has_avif():
            raise InputError("--format avif needs Pillow 11.3 or later, with AVIF in it; give another format")
    if args.output is None:
        args.output = "composite" if args.format == "jpeg" else "rgba"
    if args.output == "rgba" and args.format == "jpeg":
        raise InputError("JPEG holds no transparency; give --output composite or mask, or another --format")


def hidden(args: argparse.Namespace, recipe: Recipe) -> Recipe:
    """With --smallest, hidden pixels of one colour."""
    return replace(recipe, fill="#000000") if args.smallest and args.fill is None else recipe


def output(args: argparse.Namespace) -> Output:
    """What is written. Raises InputError, ImageError for a background."""
    from ..pictures import Style
    from .backdrop import backdrop
    from .work import Output

    behind = backdrop(args.background) if args.background or args.output == "composite" else None
    return Output(args.output, Style(args.format, args.quality, args.smallest), behind, args.strip)


def check_form(args: argparse.Namespace, target: Path | None, named: str | None) -> None:
    """Raises InputError where the result's name says one form and --format another."""
    if named and args.format and named != args.format:
        raise InputError(f"{target} is named as {named} and --format asks for {args.format}; give one of them")


def existing(args: argparse.Namespace) -> str:
    """What is done with results that exist: jobs.Place's word."""
    return "overwrite" if args.overwrite else "skip" if args.skip_existing else "refuse"
