"""A Nuggy that listens, in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]  # fmt: skip


def browser() -> str:
    """A Chromium, installed if it is missing, as for the suite of ComfyUI."""
    sys.path.insert(0, str(ROOT))
    from tests.comfyui import install

    return install.browser()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Listener:
    """`nuggy serve` or `nuggy demo`: url, and the process."""

    def __init__(self, command: str, *args: str, log: Path, port: int = 0):
        self.port, self.log = port or free_port(), log
        self.url = f"http://127.0.0.1:{self.port}"
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "nuggy_nodes", command, "--port", str(self.port), "--device", "cpu", *args]
        self.process = subprocess.Popen(line, env=env, stdout=log.open("ab"), stderr=subprocess.STDOUT)
        self.wait("/health" if command == "serve" else "/_stcore/health")

    def wait(self, path: str, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url + path, timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"it does not answer: {self.log.read_text()[-2000:]}") from None
                time.sleep(0.2)

    def memory(self) -> int:
        """Bytes that the process and its children hold."""
        pids, total = [self.process.pid], 0
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, task.read_text().split())
            status = dict(li.split(":", 1) for li in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in li)
            total += int(status["VmRSS"].split()[0]) * 1024
        return total

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(90)


@contextmanager
def listening(command: str, *args: str, log: Path, port: int = 0) -> Iterator[Listener]:
    listener = Listener(command, *args, log=log, port=port)
    try:
        yield listener
    finally:
        if listener.process.poll() is None:
            listener.stop()
