"""Threads that each work on a piece of their own, on a CPU, and in which torch starts no further threads.

torch splits an operation of 32768 values or more over its threads and waits for all of them, again for the next. Where
a picture is cut into tiles, a thread goes through its own without waiting. Operations must then be large, or the
threads wait for Python's lock instead, and must stay in their thread, or threads of threads take turns on the cores.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


def for_each(work: Callable[[T], None], pieces: Iterable[T]) -> None:
    """work(piece) for all of them, torch.get_num_threads() at a time; returns when all are done.

    Args:
        work: may write only where no other piece's does.
        pieces: what is worked on.

    Raises:
        Exception: the first that `work` raised, when the others have ended.
    """
    todo = list(pieces)
    threads = torch.get_num_threads()
    if threads == 1 or len(todo) == 1:
        for piece in todo:
            work(piece)
        return
    inference = torch.is_inference_mode_enabled()  # a thread has its own; without it, writing would be refused

    def one(piece: T) -> None:
        with torch.inference_mode(inference):
            work(piece)

    futures = [_pool(threads).submit(one, piece) for piece in todo]
    failures = [f.exception() for f in futures]
    for failure in failures:
        if failure:
            raise failure


def _pool(threads: int) -> ThreadPoolExecutor:
    with _lock:
        if threads not in _pools:
            started = threading.Barrier(threads + 1)

            def alone() -> None:
                torch.get_num_threads()  # sets the thread up, which would undo the next line later
                torch.set_num_threads(1)  # OpenMP keeps this number for each thread apart
                started.wait()

            pool = ThreadPoolExecutor(threads, "nuggy-tiles", initializer=alone)
            for _ in range(threads):
                pool.submit(int)  # starts a thread
            started.wait()
            torch.set_num_threads(threads)  # torch remembers the last number for threads that are yet to come
            _pools[threads] = pool
        return _pools[threads]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # a child process has none of the threads
