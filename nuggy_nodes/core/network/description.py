"""What is to be known of an ONNX file before it runs: which input and output, how it is normalised, whose it is.

In this order: what the caller says (Options); the file's own metadata (`nuggy`, as in our safetensors); the table of
known files, by name, then by checksum; a preprocessor_config.json beside the file, as Hugging Face's repositories have
it; else the mean and deviation of ImageNet, with which most such networks were trained, and a line in the log.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import WeightsError
from . import onnx_file
from .checksum import checksums
from .known import BY_CHECKSUM, BY_NAME, IMAGENET, Known, Triple
from .metadata import Info
from .onnx_file import Graph, Port

log = logging.getLogger(__name__)

SMALLEST, LARGEST = 64, 4096  # sides of squares
NATIVE = 1024  # where a file leaves its size open and nobody says it


@dataclass(frozen=True)
class Options:
    """What a caller says of a file; None or "" leaves it to be found out. output: the name of one, first, or largest;
    answer: logits or probability; size: of the square, where the file leaves it open."""

    mean: Triple | None = None
    std: Triple | None = None
    size: int = 0
    answer: str = ""
    output: str = ""


@dataclass(frozen=True)
class Description:
    """info: for the network. size: of the square; fixed: whether the file takes no other; most: squares at a time, 0
    for any number. logits: of the answer."""

    info: Info
    graph: Graph
    input: Port
    output: Port
    size: int
    fixed: bool
    most: int
    logits: bool
    known: Known | None


def describe(path: Path, options: Options = Options(), *, quiet: bool = False) -> Description:
    """Read an ONNX file's description, and nothing else of it.

    Args:
        path: the file.
        options: what the caller knows better.
        quiet: without the line in the log.

    Returns:
        What is to be known of it.

    Raises:
        WeightsError: the file is damaged, not safe (onnx_file.read), or no network that takes one picture and gives
            one map.
    """
    graph = onnx_file.read(path)
    known = identify(path)
    port = _input(path, graph)
    output = _output(path, graph, options.output)
    height, width = port.dims[2:] if port.dims else (None, None)
    if height != width and None not in (height, width):
        raise WeightsError(f"{path}: takes pictures of {width}x{height} pixels; Nuggy shows squares")
    info, size = _info(path, graph, known, options, quiet or port.kind == "uint8")
    side = height or width
    if side and not SMALLEST <= side <= LARGEST:
        raise WeightsError(f"{path}: takes squares of {side} pixels; Nuggy shows {SMALLEST} to {LARGEST}")
    if side and options.size and options.size != side:
        raise WeightsError(
            f"{path}: takes squares of {side} pixels and no others; --network-size asks for {options.size}"
        )
    size = side or options.size or (known.size if known else 0) or size or NATIVE
    logits = known.logits if known else not graph.ends_in_sigmoid(output.name)
    if options.answer or graph.ends_in_sigmoid(output.name):
        logits = options.answer == "logits"
    most = (port.dims[0] or 0) if port.dims else 0
    return Description(replace(info, size=size), graph, port, output, size, side is not None, most, logits, known)


def identify(path: Path) -> Known | None:
    """Look a file up in the table: by its name, else by its checksum, which is kept.

    Args:
        path: the file.

    Returns:
        Its row, or None.
    """
    named = BY_NAME.get(path.stem.lower())
    return named or (BY_CHECKSUM.get(checksums(path)[0]) or BY_CHECKSUM.get(checksums(path)[1]))


def _input(path: Path, graph: Graph) -> Port:
    if len(graph.inputs) > 1:
        text = [p for p in graph.inputs if p.kind in ("int64", "int32", "text") or len(p.dims) in (1, 2)]
        what = "text or points besides a picture" if text else "more than one picture"
        raise WeightsError(
            f"{path}: takes {what} ({', '.join(map(str, graph.inputs[:4]))}); Nuggy runs networks that take one picture"
        )
    port = graph.inputs[0]
    fits = not port.dims or (len(port.dims) == 4 and port.dims[1] in (None, 3))
    if port.kind not in ("float32", "float16", "uint8") or not fits:
        raise WeightsError(f"{path}: takes {port}; Nuggy gives float or uint8 pictures of [batch, 3, height, width]")
    return port


def _output(path: Path, graph: Graph, wanted: str) -> Port:
    """The map among the outputs: the one that is named, the first, or by itself the largest that is one map."""
    maps = [p for p in graph.outputs if _is_map(p)]
    if wanted and wanted not in ("first", "largest"):
        named = [p for p in graph.outputs if p.name == wanted]
        if not named:
            raise WeightsError(f"{path}: has no output {wanted!r}; it has {', '.join(p.name for p in graph.outputs)}")
        maps = [p for p in named if _is_map(p)]
    if not maps:
        raise WeightsError(
            f"{path}: gives {', '.join(map(str, graph.outputs[:4]))}; Nuggy needs one map of the subject"
        )
    if wanted == "first" or any(None in p.dims[-2:] or not p.dims for p in maps):
        return maps[0]
    return max(maps, key=lambda p: math.prod(d or 0 for d in p.dims[-2:]))  # the first among equals


def _is_map(port: Port) -> bool:
    """[b,1,h,w], [b,h,w], [h,w], or nothing said."""
    between = port.dims[1:-2] if len(port.dims) > 3 else ()
    return port.kind in ("float32", "float16", "uint8") and (
        not port.dims or (2 <= len(port.dims) <= 5 and all(d in (None, 1) for d in between))
    )


def _info(path: Path, graph: Graph, known: Known | None, said: Options, quiet: bool) -> tuple[Info, int]:
    """What is known of it, and its size, 0 where only the caller or the graph can tell."""
    mean, std, size = *IMAGENET, 0
    info = Info(architecture="an ONNX graph", lineage=path.name)
    config = None
    if "nuggy" in graph.metadata:
        info = Info.from_metadata(graph.metadata, path)
        mean, std, size = info.mean, info.std, info.size
    elif known:
        (mean, std), size = known.normalise, known.size
        info = Info(known.architecture, lineage=f"{known.name} ({known.source})", licence=known.licence)
    elif config := _config(path):
        mean, std, size = config
    elif (said.mean is None or said.std is None) and not quiet:
        log.warning(
            "%s is not in the table of known networks: ImageNet's mean and deviation are taken; --network-mean and "
            "--network-std say otherwise", path.name)  # fmt: skip
    return replace(info, mean=said.mean or mean, std=said.std or std), size


def _config(path: Path) -> tuple[Triple, Triple, int] | None:
    """Mean, deviation and size of a preprocessor_config.json beside the file or beside its folder."""
    for folder in (path.parent, path.parent.parent):
        file = folder / "preprocessor_config.json"
        try:
            if not file.is_file() or file.stat().st_size > 1 << 16:
                continue
            raw: Any = json.loads(file.read_text("utf-8"))
            mean, std = (tuple(float(v) for v in raw[k]) for k in ("image_mean", "image_std"))
            size = raw.get("size")
            side = size.get("height", 0) if isinstance(size, dict) else size
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if len(mean) == len(std) == 3 and all(map(math.isfinite, mean)) and all(0 < s < math.inf for s in std):
            fits = isinstance(side, int) and SMALLEST <= side <= LARGEST
            return mean, std, side if fits else 0  # type: ignore[return-value]
    return None
