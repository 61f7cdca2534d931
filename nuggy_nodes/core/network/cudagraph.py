"""The network's pass replayed as a CUDA graph: some two hundred kernels started by one call.

A graph holds addresses, not tensors. Who moves the weights (ComfyUI, to make room for another model) makes every
graph of them wrong, so each replay first compares the addresses that the weights have now with those captured, and
`forget`, which the network calls when it is moved, gives the graphs' memory back at once. Whenever anything does not
fit, the pass runs as it would without this file.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)

Pass = Callable[[Tensor], Tensor]
Key = tuple[torch.Size, torch.dtype, torch.device]
MOST = 6  # graphs of one network: the shapes of two recipes, nearly


class Replays:
    """The graphs of one network, one for each shape and dtype of its input; the longest unused goes first.

    capture(model, x) runs the model on x, records it and returns what replays it: a function of an input of the same
    shape that gives a tensor of its own. The first time that a shape comes it runs plainly: recording takes as long as
    several passes, too long for a single photograph.
    """

    def __init__(self, capture: Callable[[nn.Module, Tensor], Pass], most: int = MOST):
        self._capture, self._most = capture, most
        self._graphs: OrderedDict[Key, Pass | None] = OrderedDict()
        self._weights: tuple[int, ...] = ()
        self._refused = False
        self._lock = threading.Lock()

    def __call__(self, model: nn.Module, x: Tensor) -> Tensor:
        with self._lock:
            graph = None if self._refused else self._find(model, x)
            if graph is not None:
                return graph(x)
        return model(x)

    def _find(self, model: nn.Module, x: Tensor) -> Pass | None:
        weights = _addresses(model, x.device)
        if weights != self._weights:
            self._graphs.clear()
            self._weights = weights
        key = (x.shape, x.dtype, x.device)
        if not weights:  # some of them lie elsewhere
            return None
        if key not in self._graphs:
            self._graphs[key] = None
        elif self._graphs[key] is None:
            try:
                self._graphs[key] = self._capture(model, x)
            except RuntimeError as e:  # out of memory among them
                log.info("the network runs without CUDA graphs: %s", str(e).splitlines()[0] if str(e) else e)
                self._refused = True
                self._graphs.clear()
                return None
        self._graphs.move_to_end(key)
        while len(self._graphs) > self._most:
            self._graphs.popitem(last=False)
        return self._graphs[key]


_replays: WeakKeyDictionary[nn.Module, Replays] = WeakKeyDictionary()
_plain: WeakSet[nn.Module] = WeakSet()
# one network's graphs never run at the same time, and what they answer is copied out: they share their memory
_pools: WeakKeyDictionary[nn.Module, Any] = WeakKeyDictionary()


def run(model: nn.Module, x: Tensor) -> Tensor:
    """A network's pass, replayed where x is on a CUDA device and nothing is to be learned from it.

    Args:
        model: the network.
        x: its input [B,3,n,n].

    Returns:
        model(x).
    """
    if x.device.type != "cuda" or torch.is_grad_enabled() or model in _plain:
        return model(x)
    return _replays.setdefault(model, Replays(capture))(model, x)


def never(model: nn.Module) -> None:
    """Have a network run without graphs: who manages its memory could not take theirs back.

    Args:
        model: the network.
    """
    _plain.add(model)
    forget(model)


def forget(model: nn.Module) -> None:
    """Give back the memory of a network's graphs; its weights are about to move.

    Args:
        model: the network.
    """
    _replays.pop(model, None)
    _pools.pop(model, None)


def _addresses(model: nn.Module, device: torch.device) -> tuple[int, ...]:
    """Where the weights lie; nothing if not all of them are on the device."""
    weights = list(model.parameters())
    return tuple(w.data_ptr() for w in weights) if all(w.device == device for w in weights) else ()


def capture(model: nn.Module, x: Tensor) -> Pass:
    """Record a network's pass on a CUDA device.

    Args:
        model: the network.
        x: an input of the shape and type that is recorded.

    Returns:
        A function of an input like x, that gives a tensor of its own.

    Raises:
        RuntimeError: CUDA cannot record it, or memory does not suffice.
    """
    own = x.clone(memory_format=torch.preserve_format)
    side = torch.cuda.Stream(x.device)
    side.wait_stream(torch.cuda.current_stream(x.device))
    with torch.cuda.stream(side):  # libraries set up and choose before anything is recorded, and not on this stream
        for _ in range(2):
            model(own)
    torch.cuda.current_stream(x.device).wait_stream(side)
    graph, pool = torch.cuda.CUDAGraph(), _pools.setdefault(model, torch.cuda.graph_pool_handle())
    # other threads of ComfyUI may allocate while this one records
    with torch.cuda.device(x.device), torch.cuda.graph(graph, pool, capture_error_mode="thread_local"):
        answer = model(own)

    def replay(new: Tensor) -> Tensor:
        own.copy_(new)
        graph.replay()
        return answer.clone()  # the next replay writes into the same memory

    return replay
