"""The core runs on CUDA, ROCm, MPS and the CPU by the same code: what only CUDA has stays in few places."""

import ast
import re
from pathlib import Path

import pytest

import nuggy_nodes

PACKAGE = Path(nuggy_nodes.__file__).parent
ANYWHERE = {
    "is_available",
    "OutOfMemoryError",
    "get_device_name",
    "empty_cache",
}  # these answer, or exist, without a CUDA device
# these files ask for the device's type first
HOMES = [PACKAGE / f for f in ("core/network/cudagraph.py", "training/ahead.py", "training/learner.py")]


def chain(node: ast.AST) -> str:
    """a.b.c of an attribute expression; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{before}.{node.attr}" if (before := chain(node.value)) else ""
    return node.id if isinstance(node, ast.Name) else ""


def cuda_only(source: str) -> list[str]:
    """Uses of torch.cuda that are not allowed everywhere, imports of it, and calls of .cuda()."""
    found = []
    for node in ast.walk(ast.parse(source)):
        name = chain(node)
        if name.startswith("torch.cuda.") and name.count(".") == 2 and name.split(".")[2] not in ANYWHERE:
            found.append(name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "cuda":
            found.append(".cuda()")
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("torch.cuda"):
            found.append(f"from {node.module}")
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.startswith(("torch.cuda", "triton"))]
    return found


@pytest.mark.parametrize("source,count", [
    ("torch.cuda.synchronize()", 1), ("x.cuda()", 1), ("from torch.cuda import Stream", 1), ("import triton", 1),
    ("torch.cuda.is_available()", 0), ("x = torch.cuda.OutOfMemoryError", 0)])  # fmt: skip
def test_the_test_sees(source, count):
    assert len(cuda_only(source)) == count


def test_cuda_only_calls_stay_in_guarded_files():
    files = [p for p in PACKAGE.rglob("*.py") if p not in HOMES]
    assert len(files) > 20
    wrong = {str(p.relative_to(PACKAGE)): found for p in files if (found := cuda_only(p.read_text("utf-8")))}
    assert not wrong
    for home in HOMES:
        text = home.read_text("utf-8")
        assert cuda_only(text) and re.search('device.type [=!]= "cuda"', text)
