"""`python -I -u -m nuggy_nodes.bridge`: the worker. GIMP's plug-in starts it; `nuggy gimp serve` does too."""

from __future__ import annotations

import argparse
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .job import Job
from .place import Place
from .protocol import Bytes, Message
from .server import Server, end_on_signals
from .talk import Report


class Late:
    """The Worker, imported and loaded in the background while the plug-in's dialog is still open."""

    def __init__(self, device: str):
        self.device = device
        self._made: Any = None
        self._making = threading.Lock()

    def worker(self) -> Any:
        with self._making:
            if self._made is None:
                from ..process import keep_freed_memory, keep_to_quota, share_cores

                share_cores()
                keep_freed_memory()
                keep_to_quota()
                from .work import Worker

                self._made = Worker(self.device)
            return self._made

    def warm(self) -> None:
        try:
            self.worker().network()
        except Exception as e:  # the first job meets it again, and says so to its client
            logging.warning("%s", e)

    def __call__(self, job: Job, blobs: dict[str, Bytes], report: Report) -> Message:
        if self._made is None:
            report("load", 0.0)
        answer: Message = self.worker()(job, blobs, report)
        return answer

    def rest(self) -> None:
        if self._made is not None:
            self._made.rest()

    def describe(self) -> dict[str, Any]:
        about: dict[str, Any] = self.worker().network.describe()
        return about


def code_is_current() -> Callable[[], bool]:
    """A function that says whether the package's files are still those that this process began with."""
    root = Path(__file__).resolve().parents[1]

    def newest() -> tuple[int, int]:
        times = [f.stat().st_mtime_ns for f in root.rglob("*.py") if f.is_file()]
        return len(times), max(times, default=0)

    first = newest()
    return lambda: newest() == first


def main() -> None:
    p = argparse.ArgumentParser(prog="nuggy_nodes.bridge", description="Nuggy's worker for GIMP.")
    p.add_argument("--folder", type=Path, help="where to meet GIMP (default: Nuggy's in the user's runtime folder)")
    p.add_argument("--idle", type=float, default=300.0, help="seconds without work until it ends; 0: never")
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    p.add_argument("--loopback", action="store_true", help="meet on a loopback port even where Unix sockets exist")
    args = p.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    end_on_signals()
    late = Late(args.device)
    threading.Thread(target=late.warm, daemon=True).start()
    place = Place(args.folder, loopback=args.loopback or None)
    server = Server(place, late, idle=args.idle, describe=late.describe, current=code_is_current(),
                    rest=late.rest)  # fmt: skip
    if not server.serve():
        logging.info("another worker is there")


def run() -> int:
    """main(), and the status to end with at once: no thread that still computes is waited for."""
    try:
        main()
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else 0
    except Exception as e:
        logging.error("%s: %s", type(e).__name__, e)
        return 1
    return 0


if __name__ == "__main__":
    os._exit(run())
