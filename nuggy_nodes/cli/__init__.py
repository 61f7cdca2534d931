"""The `nuggy` command: thin, over the core. Each subcommand is a file beside this one."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from .. import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."""
    from .. import process

    process.interrupts_end(at_once=True)
    process.share_cores()
    try:
        return _main(argv)
    finally:
        process.interrupts_end(at_once=False)


def _main(argv: Sequence[str] | None) -> int:
    from .. import process
    from . import catalogue, cutout, demo, doctor, gimp, serve, train, weights

    parser = argparse.ArgumentParser(
        prog="nuggy", description="Cut subjects out of photographs; keeps hair, fur, strings and webs."
    )
    parser.add_argument("--version", action="version", version=f"nuggy {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (cutout, catalogue, demo, serve, gimp, weights, train, doctor):
        module.add_parser(commands)
    args = parser.parse_args(argv)
    logging.basicConfig(format="nuggy: %(message)s", level=logging.WARNING)
    if args.command != "cutout":  # which says itself when it has imported what it needs
        process.interrupts_end(at_once=False)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("nuggy: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as e:
        from ..core.errors import NuggyError
        from .run import fault, out_of_memory, say

        if isinstance(e, NuggyError):
            say(str(e))
        else:
            say("out of memory; free some" if out_of_memory(e) else fault(e))
        return 1
