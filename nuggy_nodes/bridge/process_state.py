"""Whether another process of this user was stopped, and ending it. Standard library only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def is_stopped(pid: int) -> bool:
    """Whether it is stopped (SIGSTOP, Ctrl-Z, a debugger), by the kernel's word; False where that cannot be had."""
    try:
        if sys.platform.startswith("linux"):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
        if sys.platform == "darwin":
            told = subprocess.run(["/bin/ps", "-o", "state=", "-p", str(pid)], capture_output=True, timeout=5)
            return told.stdout.strip().startswith(b"T")
    except (OSError, IndexError, subprocess.SubprocessError):
        pass
    return False


def end(pid: int) -> bool:
    """End it at once. False where that cannot be done."""
    try:
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except OSError:
        return False
    return True
