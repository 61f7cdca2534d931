"""The networks of a worker, loaded once, and what it says of itself."""

from __future__ import annotations

import threading
from typing import Any

import torch

from ..core import AnyNetwork, choose_precision, load, open_network
from ..core.errors import NuggyError
from .talk import RequestError


class Networks:
    """On a device. May be called by several threads."""

    def __init__(self, device: torch.device):
        self.device = device
        self._kept: dict[str, AnyNetwork] = {}
        self._loading = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def __call__(self, name: str = "") -> AnyNetwork:
        """Nuggy's own, or one by name or file. Raises NuggyError."""
        with self._loading:
            if name not in self._kept:
                kept: dict[str, AnyNetwork] = {}  # one other is kept beside our own
                if "" in self._kept:
                    kept[""] = self._kept[""]
                precision = choose_precision(self.device)
                kept[name] = open_network(name, self.device, precision) if name else load(None, self.device, precision)
                self._kept = kept
            return self._kept[name]

    def describe(self) -> dict[str, Any]:
        """What a ping is answered with: proof that the network can be loaded."""
        import platform

        from .. import __version__
        from ..core.network.find import found
        from ..core.network.tell import tell

        try:
            network = self()
        except NuggyError as e:
            raise RequestError("weights", str(e)) from None
        others = [(f.path.name, tell(f.path)) for f in list(found())[:64] if f.path != network.path]
        return {
            "nuggy": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "device": str(self.device),
            "weights": str(network.path),
            "networks": [[name, told.use or told.architecture] for name, told in others if not told.runs],
        }
