"""A device that is not there: tensors that say they lie on Apple's MPS while the CPU computes.

Code that asks where a tensor lies takes the way it would take there. Refused is what MPS refuses: float64, operators
without a kernel (by the list that comes with torch, less those named as lacking), and tensors of the CPU beside
tensors of the device.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

MPS = torch.device("mps", 0)
COPIES = {"to", "_to_copy", "copy_"}  # these may go between devices
INDICES = {"index", "index_put_", "_unsafe_index"}  # these take lists of places from the CPU


@cache
def entries() -> dict[str, str]:
    """torch's list of operators: name with overload to what is said of it."""
    text = (resources.files("torchgen") / "packaged/ATen/native/native_functions.yaml").read_text("utf-8")
    found = re.split(r"\n(?=- func: )", text)
    return {m[1]: e for e in found if (m := re.match(r"- func: ([\w.]+)\(", e))}


def has_kernel(name: str) -> bool:
    """Whether an operator runs on MPS: by a kernel of its own, or made of other operators."""
    entry = entries().get(name.removesuffix(".default"), "")
    delegate = re.search(r"structured_delegate: ([\w.]+)", entry)
    if delegate:
        return has_kernel(delegate[1])
    return "dispatch:" not in entry or bool(re.search(r"\bMPS\b|Composite", entry))


class Pretended(torch.Tensor):
    """A tensor of the device around one of the CPU, `inner`. (torch itself is told that it has no memory: it would not
    find the device's library.)"""

    device = MPS  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, inner: torch.Tensor):
        if inner.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64")
        return torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, inner.shape, strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
            device="meta")  # fmt: skip

    def __init__(self, inner: torch.Tensor):
        self.inner = inner

    def __setitem__(self, index, value):
        number = isinstance(value, (bool, int, float))
        super().__setitem__(index, Pretended(torch.tensor(value, dtype=self.dtype)) if number else value)

    def __repr__(self) -> str:
        return f"Pretended({self.inner!r})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError(f"{func} outside of PretendMPS")


class PretendMPS(TorchDispatchMode):
    """Within it `put` gives tensors of the device. used: the operators that ran there; lacking: those it is not to have
    (older versions of torch lack some)."""

    def __init__(self, lacking: Iterable[str] = ()):
        super().__init__()
        self.used: set[str] = set()
        self.lacking = set(lacking)

    def put(self, x: torch.Tensor) -> torch.Tensor:
        return Pretended(x)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        leaves = tree_leaves((args, kwargs))
        there = [x for x in leaves if isinstance(x, Pretended)]
        wanted = next((x.type for x in leaves if isinstance(x, torch.device)), "")
        if not there and wanted != "mps":
            return func(*args, **kwargs)
        if any(type(x) is torch.Tensor and x.is_meta for x in leaves):
            raise RuntimeError(f"{func}: a tensor made of a list where torch knows of no memory")
        name = func._schema.name.removeprefix("aten::")
        if name not in COPIES:
            with self:  # what is made of other operators comes back as those
                made = func.decompose(*args, **kwargs)
            if made is not NotImplemented:
                return made
            full = f"{name}.{func._overloadname}"
            self.used.add(full)
            if name not in INDICES and any(type(x) is torch.Tensor and x.ndim for x in leaves):
                raise RuntimeError(f"{full}: Expected all tensors to be on the same device, mps:0 and cpu")
            if name in self.lacking or not has_kernel(full):
                raise NotImplementedError(f"aten::{full} is not currently implemented for the MPS device")

        def real(x: object) -> object:
            return x.inner if isinstance(x, Pretended) else torch.device("cpu") if isinstance(x, torch.device) else x

        inner_args, inner_kwargs = tree_map(real, (args, kwargs))
        out = func(*inner_args, **inner_kwargs)
        if wanted == "cpu":
            return out
        if name == "copy_":
            return args[0]
        known = {id(x.inner): x for x in there}  # what was written to keeps its wrapper

        def wrapped(x: object) -> object:
            return known[id(x)] if id(x) in known else Pretended(x) if type(x) is torch.Tensor else x

        return tree_map(wrapped, out)
