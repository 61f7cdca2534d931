"""`nuggy cutout PATH...`: photographs in, cut-outs out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.settings import FRAMES
from . import results
from .guidance import Said
from .guidance import add_options as add_guidance
from .jobs import STREAM, Place
from .network import add_options as add_network
from .settings import add_options, recipe_of

if TYPE_CHECKING:
    from .work import Output

SUFFIXES = {".png": "png", ".webp": "webp", ".tif": "tiff", ".tiff": "tiff", ".jpg": "jpeg", ".jpeg": "jpeg",
            ".avif": "avif", ".gif": "gif"}  # fmt: skip
MOVIES = ("mov", "webm", "mp4", "frames")  # forms of clips alone


def add_parser(commands: Any) -> None:
    p = commands.add_parser(
        "cutout",
        help="cut the subject out of photographs and clips",
        description="Cut the subject out of photographs, and of clips (NAME.mp4 becomes NAME-cutout.mov). NAME.jpg "
        "becomes NAME-cutout.png beside it, or NAME.png in the folder given with -o. A photograph - is read from "
        "standard input, its result written to standard output. "
        "Exit status: 0 all done, 1 something failed, 2 wrong usage.",
    )
    p.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="photographs, or folders of them; or clips")
    p.add_argument("-o", "--output-dir", type=Path, metavar="DIR|FILE", help="folder for the results (made if "
                   "missing), or the result's file where there is one photograph, or -")  # fmt: skip
    p.add_argument("-r", "--recursive", action="store_true", help="look into sub-folders too")
    p.add_argument("--format", choices=("png", "webp", "tiff", "jpeg", "avif", "gif", *MOVIES),
                   help="file format (default: by the result's name, else png); of clips mov (ProRes 4444, default), "
                   "webm (VP9), mp4 (H.264, default for mask and composite), frames (a folder of PNG files), or an "
                   "animated gif, webp or png")  # fmt: skip
    p.add_argument("--quality", type=int, metavar="1-100", help="of jpeg (default: 92), avif (85), webm and mp4 (90), "
                   "and of webp, which is lossless without")  # fmt: skip
    p.add_argument("--steady", type=int, choices=(0, *FRAMES), default=5, metavar="0|3|5", help="frames of a clip "
                   "that tell each mask, so that it does not flicker; 0: each its own (default: 5)")  # fmt: skip
    p.add_argument("--first-frame", action="store_true", help="of an animation, cut out the first frame only")
    p.add_argument("--each", action="store_true", help="every part of the subject in a file of its own as well, "
                   "NAME-1, NAME-2, ..., the largest first; subjects that touch are one")  # fmt: skip
    existing = p.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace results that exist")
    existing.add_argument("--skip-existing", action="store_true", help="leave photographs alone whose results exist")
    p.add_argument("--fail-empty", action="store_true", help="exit status 1 if nothing was found in a photograph")
    p.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    results.add_options(p)
    add_network(p)
    add_guidance(p)
    add_options(p)
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from .. import process
    from .clip import are_clips, clip_place

    recipe = results.hidden(args, recipe_of(args))  # before anything heavy is imported
    clips = are_clips(args)
    place = clip_place(args) if clips else _place(args)
    said = Said(args)
    process.keep_freed_memory()
    with process.lasting():
        process.keep_to_quota()
        from .jobs import plan
        from .opening import Opening

        todo = plan(args.paths, place, args.recursive)
        opening = Opening(args, said.needs_network and any(not j.error and not j.skipped for j in todo.jobs))
        from .work import warm_imports

        warm_imports()
        from .run import do_all, say
    process.interrupts_end(at_once=False)
    if todo.told():
        say(todo.told())
    output = _output(args, place)
    _check_folders(args.output_dir, {j.result.parent for j in todo.jobs if not j.error and j.result != STREAM})
    with process.own_lines_only():
        if clips:
            from .clip import do_clips

            return do_clips(args, recipe, output, todo, said, opening)
        return do_all(args, recipe, output, todo, said, opening)


def _place(args: argparse.Namespace) -> Place:
    """Where results go; sets args.format. Raises InputError."""

    results.check(args)
    target: Path | None = args.output_dir
    single = target is not None and target.suffix.lower() in SUFFIXES and not target.is_dir()
    to_file = target is not None and (target == STREAM or (single and not args.recursive and len(args.paths) == 1
                                                           and not args.paths[0].is_dir()))  # fmt: skip
    _check_target(args, target, single, to_file)
    named = SUFFIXES.get(target.suffix.lower()) if to_file and target is not None else None
    results.check_form(args, target, named)
    args.format = args.format or named or "png"
    results.choose_output(args)
    from ..pictures.formats import OUT

    suffix = OUT[args.format]
    return Place(None if to_file else target, target if to_file else None, suffix, results.existing(args))


def _check_target(args: argparse.Namespace, target: Path | None, single: bool, to_file: bool) -> None:
    """Raises InputError where -o cannot be what is meant."""
    from ..core.errors import InputError
    from ..pictures.formats import BY_SUFFIX

    streamed = target == STREAM or (target is None and STREAM in args.paths)
    if streamed and len(args.paths) != 1:
        raise InputError("only one photograph can be written to standard output; give a folder with -o")
    if streamed and args.json:
        raise InputError("the result and --json cannot both be written to standard output; give a file with -o")
    if streamed and sys.stdout.isatty():
        raise InputError("standard output is a terminal; give a file with -o, or > FILE")
    if target is None or to_file or target.is_dir():
        return
    if single:
        raise InputError(f"-o {target} names a file, which takes one photograph; give a folder")
    if target.suffix.lower() in BY_SUFFIX:
        raise InputError(f"-o {target}: results are written as {', '.join(SUFFIXES)}, or to a folder")


def _output(args: argparse.Namespace, place: Place) -> Output:
    from dataclasses import replace

    more = {"first_frame": args.first_frame, "overwrite": place.existing == "overwrite", "each": args.each}
    return replace(results.output(args), **more, steady=args.steady)


def _check_folders(given: Path | None, folders: set[Path]) -> None:
    """Made if missing and writable, or InputError, once, before the first photograph; left-over parts are cleared."""
    from ..core.errors import InputError
    from ..pictures import clear_parts
    from ..pictures.read import reason

    for folder in sorted(folders):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".nuggy-{os.getpid()}-0.part"
            with open(probe, "wb"):
                pass
            probe.unlink()
        except OSError as e:
            if given is None:
                continue  # beside the sources: each is that photograph's own line
            raise InputError(f"{folder}: results cannot be written there: {reason(e)}") from None
        clear_parts(folder)
