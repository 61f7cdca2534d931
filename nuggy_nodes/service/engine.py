"""One network for everybody, and one photograph at a time through it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import torch

from .. import process
from ..cli.jobs import STREAM, Job
from ..cli.network import TORCH
from ..cli.work import Engine, Worker, warm_imports
from ..core import AnyNetwork, choose_device, choose_precision, open_network
from ..core.network.description import Options
from ..pictures import read
from .limits import Limits
from .line import Line
from .wanted import Wanted


class Studio:
    """The network, the line before it, and the limits."""

    def __init__(
        self,
        limits: Limits,
        device: str = "auto",
        precision: str = "auto",
        network: str | Path | None = None,
        options: Options = Options(),  # noqa: B008
    ):
        """Loads the network. network, options: as core.open_network has them. Raises NuggyError."""
        process.keep_freed_memory()
        process.keep_to_quota()
        warm_imports()
        self.limits, self.device = limits, choose_device(TORCH.get(device, device))
        self.dtype: torch.dtype = choose_precision(self.device, precision)
        self.network: AnyNetwork = open_network(network, self.device, self.dtype, provider=device, options=options)
        self.line = Line(limits.waiting)

    def cut(self, data: bytes, name: str, wanted: Wanted) -> tuple[bytes, dict[str, Any]]:
        """A picture file's bytes to the result's bytes, in one's turn.

        Args:
            data: the file.
            name: what the sender calls it, for words and for formats that are told by the suffix; never opened.
            wanted: what to make of it.

        Returns:
            The result's file and what is to be said of it, as `nuggy cutout --json` has it.

        Raises:
            Busy: the line is full. NuggyError: the picture cannot be read, or what is wanted does not fit it.
        """
        with self.line.turn():
            path = shown_as(name)
            picture = read(path, megapixels=self.limits.megapixels, data=data)
            engine = Engine(self.network, wanted.recipe, self.device, wanted.said)
            worker = Worker(engine, wanted.output, self.limits.megapixels)
            made, told = worker.cut(Job(STREAM, STREAM), picture)
            return worker.encode(made, picture), told


def shown_as(name: str) -> Path:
    """A sender's file name as the last part of a path, short and printable."""
    last = PurePosixPath(name.replace("\\", "/")).name
    last = "".join(c for c in last if c.isprintable())
    return Path(last[-100:] or "picture")
