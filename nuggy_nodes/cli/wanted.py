"""What photographs and clips ask alike of the command's options: refused in a sentence, before anything heavy."""

from __future__ import annotations

import argparse
from pathlib import Path


def check_numbers(args: argparse.Namespace) -> None:
    """Raises InputError where --quality or --max-megapixels is out of range."""
    from ..core.errors import InputError

    if args.quality is not None and not 1 <= args.quality <= 100:
        raise InputError(f"--quality must be from 1 to 100; got {args.quality}")
    if not args.max_megapixels > 0:
        raise InputError(f"--max-megapixels must be above 0; got {args.max_megapixels:g}")


def check_form(args: argparse.Namespace, target: Path | None, named: str | None) -> None:
    """Raises InputError where the result's name says one form and --format another."""
    from ..core.errors import InputError

    if named and args.format and named != args.format:
        raise InputError(f"{target} is named as {named} and --format asks for {args.format}; give one of them")


def existing(args: argparse.Namespace) -> str:
    """What is done with results that exist: jobs.Place's word."""
    return "overwrite" if args.overwrite else "skip" if args.skip_existing else "refuse"
