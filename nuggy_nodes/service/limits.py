"""What is too much, in one place: for the HTTP service and for the page."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from ..core.errors import InputError


@dataclass(frozen=True)
class Limits:
    """upload_mib: of one file. megapixels: of one photograph, checked before it is decoded. waiting: photographs in the
    line, besides the one that is being cut out; more are turned away. held_mib: of all uploads together that wait.
    upload_seconds: in which a body must have come. keep_minutes: after which results that nobody looks at are dropped.
    photographs: on one page. kept_mib: of results that are kept for the pages.
    """

    upload_mib: int = 64
    megapixels: float = 50.0
    waiting: int = 32
    held_mib: int = 512
    upload_seconds: float = 120.0
    keep_minutes: float = 60.0
    photographs: int = 50
    kept_mib: int = 2048

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0 and not (name == "waiting" and value == 0):
                raise InputError(f"--{name.replace('_', '-')} must be above 0; got {value:g}")


HELP = {
    "upload_mib": "the largest file, in MiB",
    "megapixels": "the largest photograph, refused before it is decoded",
    "waiting": "photographs in the line; more are turned away",
    "keep_minutes": "minutes after which what nobody looks at is dropped, to be made again when asked for",
}
OFTEN = ("upload_mib", "megapixels", "waiting")  # changed, by whoever listens


def add_options(parser: argparse.ArgumentParser, *more: str) -> None:
    """Give a subcommand the limits that are often changed, and `more` of them, as options."""
    group = parser.add_argument_group("limits")
    names = {"megapixels": "--max-megapixels", "upload_mib": "--max-upload"}
    for name in (*OFTEN, *more):
        text, default = HELP[name], getattr(Limits, name)
        option = names.get(name, "--" + name.replace("_", "-"))
        group.add_argument(option, dest=name, type=type(default), metavar="N", default=default,
                           help=f"{text} (default: {default:g})")  # fmt: skip


def limits_of(args: argparse.Namespace) -> Limits:
    """The limits that the options say. Raises InputError."""
    return Limits(**{name: getattr(args, name) for name in HELP if hasattr(args, name)})
