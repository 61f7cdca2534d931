"""Watching the work from inside: progress within a pass, and an end as soon as nobody waits for it.

A pass takes many seconds on a busy machine, and a retoucher's Cancel must not wait for it. torch shows every operation
that the Python code of network, refinement and colours asks for to a mode (torch.overrides.TorchFunctionMode); between
two of them, ten times a second at the most, the client is told where the work is, which raises if it has hung up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

Report = Callable[[str, float], None]
OFTEN = 0.1  # seconds between two reports
CONVOLUTIONS = 119  # of IS-Net's pass, by which its share is counted (up to the whole: in 8 bits there are 121, of
# which eight are small); another network's share ends with this count
CONVOLVE = {torch.conv2d, torch.nn.functional.conv2d}
EIGHT_BITS = "qconv2d"  # torch's own in 8 bits (core/network/eight_bit_ops.py) begin so


class Watch(TorchFunctionMode):
    """With it around the work, `report` is called while the work goes on; what it raises ends the work."""

    def __init__(self, report: Report, scale: float = 1.0):
        """scale: the work's part of the whole job."""
        super().__init__()
        self.report, self.scale = report, scale
        self.stage, self.share = "read", 0.0
        self.step = self.convolutions = 0.0  # a square's part of the whole; those of this pass that are done
        self.told = time.monotonic()

    def of_network(self, done: int, total: int, part: float) -> None:
        """Progress in squares; the network has this part of the whole work."""
        self.step, self.convolutions = part / max(total, 1), 0.0
        self("network", part * done / max(total, 1))

    def __call__(self, stage: str, share: float) -> None:
        """The work's own report."""
        if stage != "network":
            self.step = 0.0
        self.stage, self.share = stage, share
        self._tell()

    def _tell(self) -> None:
        self.told = time.monotonic()
        within = self.step * min(self.convolutions / CONVOLUTIONS, 1.0)
        self.report(self.stage, self.scale * (self.share + within))

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in CONVOLVE or getattr(function, "__name__", "").startswith(EIGHT_BITS):
            self.convolutions += len(args[0]) if args else 1
        if time.monotonic() - self.told > OFTEN:
            self._tell()
        return function(*args, **(kwargs or {}))
