"""`nuggy catalogue SOURCE DEST`: any number of photographs, on a Ray cluster or on this machine."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from . import results
from .network import add_options as add_network
from .network import options
from .settings import add_options, recipe_of

if TYPE_CHECKING:
    from ..catalogue.manifest import Manifest
    from ..catalogue.plan import Plan
    from ..catalogue.stages import Order
    from ..catalogue.stores import Store
    from ..catalogue.tally import Tally

BOTTLENECKS = {"network": "the network takes", "files": "reading and writing take"}
FORMATS = ("png", "webp", "tiff", "jpeg", "avif")


def add_parser(commands: Any) -> None:
    p = commands.add_parser(
        "catalogue",
        help="cut out any number of photographs, on a Ray cluster or on this machine",
        description="Cut out every photograph of SOURCE into DEST, as `nuggy cutout -o` would, on the Ray cluster that "
        "RAY_ADDRESS names, or on this machine. Run it again to go on where it stopped: what is done is left alone. "
        "DEST/nuggy-catalogue/manifest.parquet has a row a photograph. "
        "Exit status: 0 all done, 1 something failed, 2 wrong usage.",
    )
    p.add_argument("source", metavar="SOURCE", help="a folder or a bucket's prefix (s3://, gs://, ...: what PyArrow or "
                   "fsspec reads), or a Parquet or CSV file of addresses or bytes")  # fmt: skip
    p.add_argument("dest", metavar="DEST", help="a folder or a prefix, which every machine of the cluster reaches")
    p.add_argument("--column", metavar="NAME", help="of a table (or a folder of tables): the column with addresses or "
                   "bytes (default: by its name); a column called name, if any, names the results")  # fmt: skip
    p.add_argument("--format", choices=FORMATS, default="png", help="file format (default: png)")
    p.add_argument("--quality", type=int, metavar="1-100", help="of jpeg (default: 92), avif (85), and of webp, which "
                   "is lossless without")  # fmt: skip
    p.add_argument("--workers", type=int, default=0, metavar="N", help="networks at work (default: one a GPU, or one a "
                   "machine where there is none)")  # fmt: skip
    p.add_argument("--gpus", type=float, metavar="SHARE", help="share of a GPU that each network has (default: 1)")
    p.add_argument("--max-errors", type=int, default=0, metavar="N", help="end when N photographs have failed "
                   "(default: when 100 in a row have)")  # fmt: skip
    p.add_argument("--dry-run", action="store_true", help="count, cut ten out without writing them, and say how long "
                   "all would take")  # fmt: skip
    p.add_argument("--price", type=float, metavar="P", help="of the cluster an hour, for --dry-run")
    p.add_argument("--overwrite", action="store_true", help="let DEST be a folder with other files in it, which "
                   "results may replace")  # fmt: skip
    p.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    results.add_options(p)
    add_network(p)
    add_options(p)
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from .. import process
    from ..core.errors import InputError

    results.check(args)
    results.choose_output(args)
    recipe = results.hidden(args, recipe_of(args))
    if args.workers < 0 or args.max_errors < 0 or (args.gpus is not None and args.gpus < 0):
        raise InputError("--workers, --max-errors and --gpus are 0 or more")
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise InputError("nuggy catalogue needs Ray: pip install 'nuggy-nodes[ray]'")
    from ..catalogue import flow
    from ..catalogue.manifest import Manifest
    from ..catalogue.plan import BLOCK, Plan, blocks, spread
    from ..catalogue.run import settings_hash
    from ..catalogue.sources import Source
    from ..catalogue.stages import Order
    from ..catalogue.stores import store
    from ..pictures.formats import OUT
    from .run import say

    dest = store(args.dest)
    manifest, source = Manifest(dest), Source(args.source, args.column, dest)
    _check_dest(args, dest, manifest, source.place.address)
    order = Order(recipe, results.output(args), _whole(dest), "", args.max_megapixels, args.network, options(args),
                  args.device, args.precision, 1)  # fmt: skip
    settings = settings_hash(order)
    plan = Plan(source, dest, OUT[args.format], manifest.state(settings))
    tables = list(blocks(plan.rows(), BLOCK))
    if plan.counts["found"] == 0:
        left = ", ".join(f"{n} {kind}" for kind, n in source.left_out.most_common())
        raise InputError(f"{args.source}: no photographs are there" + (f" ({left} left out)" if left else ""))
    resources = flow.connect()
    part = flow.share(resources, args.workers, args.gpus, args.device)
    from dataclasses import replace

    unasked = args.device == "auto" and resources.get("GPU") and not part.gpus  # GPUs that are somebody else's
    order = replace(order, settings=settings, threads=part.threads, device="cpu" if unasked else args.device,
                    output=replace(order.output, first_frame=True))  # fmt: skip
    tables = spread(tables, 4 * int(resources.get("CPU", 1)))
    if source.left_out:
        say("left out: " + ", ".join(f"{n} {kind}" for kind, n in source.left_out.most_common()))
    args.stdout = sys.stdout
    # not those of Ray's libraries, nor what Ray itself prints (of a node that is lost) where scripts read
    with process.own_lines_only(), contextlib.redirect_stdout(io.StringIO()):
        if args.dry_run:
            return _dry_run(args, plan, tables, order, part, resources)
        return _do(args, plan, tables, order, part, manifest, dest, source.place.query)


def _check_dest(args: argparse.Namespace, dest: Store, manifest: Manifest, source: str) -> None:
    from ..catalogue.stores import listed
    from ..core.errors import InputError

    if dest.address.rstrip("/") == source.rstrip("/"):
        raise InputError(f"{args.dest}: results are not written among the photographs; give another DEST")
    if not args.overwrite and not manifest.exists() and listed(dest):
        raise InputError(f"{args.dest}: has files in it and no manifest of a run; give an empty one, or --overwrite")


def _whole(dest: Store) -> str:
    return dest.address + (f"?{dest.query}" if dest.query else "")


def _do(args: argparse.Namespace, plan: Plan, tables: list[Any], order: Order, part: Any, manifest: Manifest,
        dest: Store, query: str) -> int:  # fmt: skip
    from ..catalogue import doubtful
    from ..catalogue.run import refused, stream
    from ..catalogue.stores import clear
    from ..catalogue.tally import Tally
    from .run import say

    tally = Tally(sum(map(len, tables)), args.max_errors)
    tally.failed += len(plan.refused)
    tally.reasons.update(why for _, why in plan.refused)
    manifest.begin()
    clear(dest)
    if plan.refused:
        manifest.add(refused(plan.refused, order.settings))
    tally.begin()
    try:
        stream(tables, order, part, manifest, tally, say)
    finally:
        tally.end()
        manifest.end()
    sheet = doubtful.draw(manifest, dest, query)
    _tell(args, plan, tally, manifest, sheet)
    return int(bool(tally.failed))


def _tell(args: argparse.Namespace, plan: Plan, tally: Tally, manifest: Manifest, sheet: Store | None) -> None:
    from .run import say

    target = manifest.place.below("manifest.parquet").address
    if args.json:
        more = {"found": plan.counts["found"], "done_before": plan.counts["done"], "manifest": target,
                "stopped": tally.stopped, "doubtful": sheet.address if sheet else None}  # fmt: skip
        print(json.dumps(tally.told() | more, ensure_ascii=False), file=args.stdout)
        return
    rate = f", {tally.rate():.3g} a second" if tally.rate() else ""
    say(f"{tally.done} done{rate}, {tally.failed} failed, {tally.empty} empty, {plan.counts['done']} done before; "
        f"{target}" + (f"; the most doubtful: {sheet.address}" if sheet else ""))  # fmt: skip
    for why, count in tally.reasons.most_common(5):
        say(f"{count} failed: {why}")
    if tally.stopped:
        say(f"ended early: {tally.stopped}; run it again to go on")


def _dry_run(args: argparse.Namespace, plan: Plan, tables: list[Any], order: Order, part: Any,
             resources: dict[str, float]) -> int:  # fmt: skip
    from dataclasses import replace

    from ..catalogue.estimate import estimate, sample
    from ..catalogue.run import stream
    from ..catalogue.tally import Tally
    from .run import say

    total = sum(map(len, tables))
    told: dict[str, Any] = {"found": plan.counts["found"], "done_before": plan.counts["done"], "to_do": total}
    if total:
        some = sample(tables)
        tally = Tally(len(some))
        tally.begin()
        try:
            found = stream(some, replace(order, results=""), part, None, tally, say)
        finally:
            tally.end()
        told |= estimate(found, total, part, resources.get("CPU", 1), args.price)
    if args.json:
        print(json.dumps(told), file=args.stdout)
    elif not total:
        say(f"{told['found']} photographs, all done")
    else:
        cost = f", at {args.price:g} an hour {told['cost']:,.2f}" if "cost" in told else ""
        say(f"{told['found']} photographs, {total} to do; {told['a_second']} a second on {part.workers} networks: "
            f"{told['hours']:,.2f} hours{cost}; {BOTTLENECKS[told['bottleneck']]} the most time")  # fmt: skip
    return 0
