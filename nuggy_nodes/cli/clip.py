"""`nuggy cutout clip.mp4`: clips in, clips out."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clips.names import ANIMATED, FORMS, MOVIES, SUFFIXES
from ..core.errors import InputError
from .jobs import STREAM, Job, Place, Plan
from .results import check, check_form, existing

if TYPE_CHECKING:
    from ..core import Recipe
    from .guidance import Said
    from .opening import Opening
    from .work import Engine, Output

BY_NAME = {suffix: form for form, suffix in FORMS.items() if suffix} | {".apng": "png"}


def are_clips(args: argparse.Namespace) -> bool:
    """Whether clips are asked for: by the names of the files, or of animated pictures by the format. Raises InputError
    where photographs are among them."""
    asked = args.format or BY_NAME.get(args.output_dir.suffix.lower() if args.output_dir else "", "")
    moving = [p.suffix.lower() in SUFFIXES and not p.is_dir() for p in args.paths]
    if asked in (*MOVIES, "frames"):
        for path, clip in zip(args.paths, moving):
            if not clip and path.suffix.lower() not in ANIMATED:
                raise InputError(f"{path} is no clip, and {asked} is for clips; give another format")
        return True
    if any(moving) and not all(moving):
        first = args.paths[moving.index(False)]
        raise InputError(f"clips and photographs are cut out in calls of their own; {first} is no clip")
    return any(moving)


def clip_place(args: argparse.Namespace) -> Place:
    """Where results go; sets args.format and args.output. Raises InputError."""
    check(args)
    target: Path | None = args.output_dir
    if target == STREAM:
        raise InputError("a clip is not written to standard output; give a file or a folder with -o")
    named = BY_NAME.get(target.suffix.lower()) if target is not None and not target.is_dir() else None
    if named and len(args.paths) != 1:
        raise InputError(f"-o {target} names a file, which takes one clip; give a folder")
    check_form(args, target, named)
    told = args.format or named
    args.output = args.output or ("composite" if told == "mp4" else "rgba")
    args.format = told or ("mov" if args.output == "rgba" else "mp4")
    if args.format not in FORMS:
        raise InputError(f"--format {args.format} is for photographs; of clips there are {', '.join(FORMS)}")
    if args.output == "rgba" and args.format == "mp4":
        raise InputError("MP4 holds no transparency; give --output composite or mask, or --format mov or webm")
    if args.each or args.first_frame:
        raise InputError(f"--{'each' if args.each else 'first-frame'} is for photographs and animations, not for clips")
    return Place(None if named else target, target if named else None, FORMS[args.format], existing(args))


def do_clips(args: argparse.Namespace, recipe: Recipe, output: Output, todo: Plan, said: Said, opening: Opening) -> int:
    """Cut out what is planned; returns the exit status. Raises NuggyError for what concerns all of them."""
    from .. import process
    from ..clips.frame import pyav
    from .run import say
    from .work import Engine

    if args.format in MOVIES or any(j.source.suffix.lower() in SUFFIXES for j in todo.jobs):
        pyav()
    jobs, results = [j for j in todo.jobs if not j.skipped], list[dict[str, Any]]()
    try:
        engine: Engine | None = None
        for job in jobs:
            if engine is None and not job.error:
                engine = Engine(opening.network(), recipe, opening.device, said)
            with process.terminates_as_interrupted():
                results.append(_entry(job, engine, output, args.max_megapixels))
            for told in filter(None, (results[-1].get("error"), results[-1].get("note"))):
                say(told if told.startswith(str(job.source)) else f"{job.source}: {told}")
    finally:
        failed = sum("error" in r for r in results)
        if args.json:
            about = {"recipe": recipe.name} | opening.told()
            counts = {"done": len(results) - failed, "failed": failed, "skipped": len(todo.jobs) - len(jobs)}
            print(json.dumps({"clips": results} | counts | about))
    return int(bool(failed) or (args.fail_empty and any(r.get("empty") for r in results)))


def _entry(job: Job, engine: Engine | None, output: Output, megapixels: float) -> dict[str, Any]:
    """One clip; a failure is an entry."""
    from .run import why

    started, entry = time.perf_counter(), dict[str, Any](input=str(job.source))
    try:
        if job.error or engine is None:
            raise InputError(job.error)
        entry |= _clip(job, engine, output, megapixels)
    except Exception as e:
        entry["error"] = why(e, job)
    return entry | {"total_seconds": round(time.perf_counter() - started, 4)}


def _clip(job: Job, engine: Engine, output: Output, megapixels: float) -> dict[str, Any]:
    from tqdm import tqdm

    from ..clips.decode import clip_of
    from ..clips.moving import Animation
    from ..clips.steadily import steadily
    from ..pictures.picture import both
    from .frames import Cutter

    moving = job.source.suffix.lower() in SUFFIXES
    with contextlib.ExitStack() as held:
        clip: Any = held.enter_context(clip_of(job.source, megapixels)) if moving else Animation(job.source, megapixels)
        about, cutter, done = clip.about, Cutter(engine, output, job.source), 0
        bar = tqdm(total=about.count or None, unit=" frames", desc=job.source.name, disable=not sys.stderr.isatty())
        out, close = held.enter_context(_writer(job, about, output, megapixels)), held.enter_context(bar)
        for frame, result in steadily(clip.frames(), cutter, output.steady):
            out.add(cutter.pixels(result, frame.rgb.dtype), frame)
            done += 1
            close.update()
    told: dict[str, Any] = {"output": str(job.result), "width": about.width, "height": about.height, "frames": done}
    told |= cutter.told()
    note = both(clip.note, out.note, "nothing was found in it" if told.get("empty") else "")
    return told | ({"note": note} if note else {})


@contextlib.contextmanager
def _writer(job: Job, about: Any, output: Output, megapixels: float) -> Iterator[Any]:
    from ..clips import moving
    from ..clips.movie import movie_of

    form, source = output.style.form, job.source if about.sound else None
    made: Any
    if form in MOVIES:
        alpha = output.what == "rgba" or bool(output.behind and output.behind.alpha is not None and form != "mp4")
        made = movie_of(job.result, form, about, source, alpha=alpha, quality=output.style.quality,
                        overwrite=output.overwrite)  # fmt: skip
    elif form == "frames":
        made = moving.sequence_of(job.result, about.sound, overwrite=output.overwrite)
    else:
        made = moving.album_of(job.result, about, output.style, megapixels=megapixels, overwrite=output.overwrite)
    with made as out:
        yield out
