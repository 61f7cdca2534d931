"""The network, opened in a thread of its own while the command imports the rest and looks at its files."""

from __future__ import annotations

import argparse
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .network import TORCH, options

if TYPE_CHECKING:
    from ..core.network.protocol import AnyNetwork


class Opening:
    """Where and in what arithmetic the network runs, at once, and the network when it is asked for.

    Args:
        args: of a command with network.add_options and results.add_options.
        needed: whether a network is wanted at all.

    Raises:
        InputError: a device or precision that cannot be had.
    """

    def __init__(self, args: argparse.Namespace, needed: bool):
        import safetensors.torch  # noqa: F401 - here, so that two threads do not import the same

        from ..core import choose_device, choose_precision
        from ..core.network.find import open_network

        self.device = choose_device(TORCH.get(args.device, args.device))
        self.dtype = choose_precision(self.device, args.precision)
        self._network: Future[AnyNetwork | None] = Future()

        def work() -> None:
            try:
                found = open_network(args.network, self.device, self.dtype, provider=args.device, options=options(args))
                self._network.set_result(found)
            except BaseException as e:
                self._network.set_exception(e)

        if needed:  # no daemon: the interpreter is not to end in the middle of torch's work
            threading.Thread(target=work, name="nuggy-network").start()
        else:
            self._network.set_result(None)

    def told(self) -> dict[str, str]:
        """Device and precision, for --json."""
        return {"device": str(self.device), "precision": str(self.dtype).removeprefix("torch.")}

    def network(self) -> AnyNetwork | None:
        """The network; None where none is needed. Raises what opening it raised, NuggyError mostly."""
        return self._network.result()
