"""A device that is not there: its tensors say that they lie on it, their values are kept and counted on the CPU.

Under `elsewhere()` a tensor moved to DEVICE is a wrapper around a CPU tensor. Every operation of torch's comes by (the
dispatcher's Python mode): it is counted where its results lie, and refused as a real device refuses it when tensors of
both places meet. Only what real devices allow is allowed: copies, indices that lie on the CPU, numbers (no dimensions).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")  # the one kind besides the CPU that every torch has; none of its own operations run
COPIES = {"_to_copy", "copy_"}
INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_"}  # their indices may lie on the CPU
PLACES = {"cat", "stack", "clone", "contiguous", "empty", "empty_strided", "new_empty", "new_empty_strided", "detach",
          "zeros", "zeros_like", "empty_like", "lift_fresh", "_local_scalar_dense", "fill_", "new_zeros"}  # fmt: skip


class There(torch.Tensor):
    """A tensor on DEVICE; `held` has its values."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> There:
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, held.stride(), held.storage_offset(), dtype=held.dtype, device=DEVICE
        )
        made.held = held
        return made

    def __repr__(self) -> str:
        return f"There({self.held!r})"

    def item(self) -> Any:  # a real device gives numbers away, too; torch's own way needs its library
        return self.held.item()

    def tolist(self) -> Any:
        return self.held.tolist()

    def __bool__(self) -> bool:
        return bool(self.held)

    def __int__(self) -> int:
        return int(self.held)

    def __float__(self) -> float:
        return float(self.held)

    __index__ = __int__

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return through(func, args, kwargs or {}, None)  # only outside of elsewhere(), for what is left over


def through(func: Any, args: Any, kwargs: dict[str, Any], seen: Watch | None) -> Any:
    """One operation: refused, or done on the values that are held."""
    name = func.__name__.split(".")[0]
    given = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
    there, asked = any(isinstance(x, There) for x in given), kwargs.get("device")
    here = [x for x in given if not isinstance(x, There) and x.ndim]
    if there and here and name not in COPIES | INDEXED:
        raise RuntimeError(f"Expected all tensors to be on the same device, but {name} got tensors of two")
    goes = asked == DEVICE if asked is not None else there
    if name == "copy_":
        goes = isinstance(args[0], There)
    kwargs = kwargs | ({"device": torch.device("cpu")} if asked is not None else {})
    plain = tree_map(lambda x: x.held if isinstance(x, There) else x, (args, kwargs))
    out = func(*plain[0], **plain[1])
    if seen is not None:
        seen.note(name, func, out, goes, moved=name in COPIES and (there != goes or bool(here)))
    if plain[0] and out is plain[0][0]:  # in place
        return args[0]
    return tree_map(lambda x: There(x) if goes and isinstance(x, torch.Tensor) else x, out)


class FromLists(TorchFunctionMode):
    """torch.tensor(list, device=DEVICE) fills and moves below the dispatcher's modes; here it is done above them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and torch.device(kwargs.get("device") or "cpu") == DEVICE:
            return func(*args, **kwargs | {"device": "cpu"}).to(DEVICE)
        if func is torch.Tensor.new_tensor and isinstance(args[0], There):
            return torch.tensor(*args[1:], **{"dtype": args[0].dtype} | kwargs).to(DEVICE)
        return func(*args, **kwargs)


@contextmanager
def elsewhere() -> Iterator[Watch]:
    """While it is entered, DEVICE is there."""
    with FromLists(), Watch() as seen:
        yield seen


class Watch(TorchDispatchMode):
    """`work` counts numbers computed, by place ("here", "there") and operation;
    `moved` those that went from one place to the other. Views, copies within a place and empty tensors are no work."""

    def __init__(self) -> None:
        super().__init__()
        self.work: dict[str, Counter[str]] = {"here": Counter(), "there": Counter()}
        self.moved = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with self:  # in inference mode, operations that are made of others come whole
            parts = func.decompose(*args, **kwargs or {})
        return through(func, args, kwargs or {}, self) if parts is NotImplemented else parts

    def note(self, name: str, func: Any, out: Any, there: bool, moved: bool) -> None:
        made = sum(x.numel() for x in tree_flatten(out)[0] if isinstance(x, torch.Tensor))
        if moved:
            self.moved += made
        elif not func.is_view and name not in PLACES | COPIES:
            self.work["there" if there else "here"][name] += made
