"""Making a Python that has Nuggy, for a user without a terminal: an environment in the user's data folder, torch for
this machine, Nuggy. Only ever on the user's click; the packages come through pip or uv, as its settings say.

Nothing here calls GIMP: what happens goes on a queue, as in call.py. Standard library only.
"""

from __future__ import annotations

import os
import platform
import queue
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

from . import bases, confined, find
from .find import Surroundings
from .launch import Launch, clean_environment

PACKAGE = "nuggy-nodes"
MARK = "made-by-nuggy"  # in the environment's folder; a folder without it is never removed
SPACE = 3 << 30  # bytes that an environment takes at the most where torch is the CPU build, downloads included
STEPS = ("look", "environment", "torch", "nuggy", "check")


class MakeError(Exception):
    """kind: python (none here can be used), store (the text is the Python), space (the text is the
    folder and what is free), folder, step (a command failed), cancelled."""

    def __init__(self, kind: str, text: str = ""):
        super().__init__(text or kind)
        self.kind = kind


class Making:
    """Makes an environment in a thread. events: ("step", name) and ("line", text), then None; then result()."""

    def __init__(self, version: str, around: Surroundings, own: str = sys.executable):
        self.version, self.around, self.own = version, around, own
        self.folder = around.own_python()
        self.events: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        self._error: MakeError | None = None
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """End it, what it has started included; what was made so far goes."""
        self._cancelled.set()
        if self._process:
            _end(self._process)

    def wait(self) -> None:
        """After cancel: until it is gone, with what it had made."""
        self._thread.join()

    def result(self) -> Launch:
        """How the new Python is started, once None has come. Raises MakeError."""
        self._thread.join()
        if self._error:
            raise self._error
        return Launch(self._python())

    def _python(self) -> str:
        return str(self.folder / ("Scripts/python.exe" if self.around.platform == "win32" else "bin/python"))

    def _run(self) -> None:
        try:
            self._make()
        except MakeError as e:
            self._error = MakeError("cancelled") if self._cancelled.is_set() else e
        except OSError as e:
            self._error = MakeError("folder", f"{self.folder}: {e.strerror or e}")
        if self._error and (self.folder / MARK).exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        self.events.put(None)

    def _make(self) -> None:
        self._step("look")
        self._clear()
        uv = bases.uv(self.around)
        base = "" if uv else self._base()
        self._step("environment")
        self.folder.mkdir(parents=True)
        (self.folder / MARK).write_text("Nuggy's own Python; it may be removed.\n", encoding="utf-8")
        wanted = [f"{PACKAGE}=={self.version}"]
        if uv:
            self._do(uv, "venv", "--allow-existing", "--python", ">=3.10,<3.14", str(self.folder))
            install = [uv, "pip", "install", "--python", self._python()]
            self._step("torch")
            self._do(*install, "--torch-backend", "auto", "torch")
        else:
            self._do(base, "-I", "-m", "venv", str(self.folder))
            install = [self._python(), "-I", "-u", "-m", "pip", "install", "--progress-bar", "off",
                       "--disable-pip-version-check", "--no-input"]  # fmt: skip
            self._step("torch")
            self._do(*install, "torch", *bases.torch_source(self.around, platform.machine()))
        self._step("nuggy")
        self._do(*install, *wanted)
        self._step("check")
        wrong = find.trouble(self._python())
        if wrong:
            raise MakeError("step", f"{self._python()} {wrong}")

    def _clear(self) -> None:
        """Make room: an environment that was begun or is broken goes, anything else there is left alone."""
        if self.folder.exists():
            if not (self.folder / MARK).is_file() or self.folder.is_symlink():
                raise MakeError("folder", f"{self.folder} is there, and Nuggy has not made it")
            shutil.rmtree(self.folder)
        parent = self.folder.parent
        parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(parent).free < SPACE:
            raise MakeError("space", f"{parent}: {shutil.disk_usage(parent).free >> 20} MiB")

    def _base(self) -> str:
        """A Python to make it of. Raises MakeError, which says what was wrong with each."""
        for python in bases.pythons(self.around, self.own):
            if self._cancelled.is_set():
                raise MakeError("cancelled")
            wrong = bases.usable(python)
            self._line(f"{python}: {wrong or 'is taken'}")
            if not wrong:
                return python
        raise MakeError("python")

    def _step(self, name: str) -> None:
        if self._cancelled.is_set():
            raise MakeError("cancelled")
        self.events.put(("step", name))

    def _line(self, text: str) -> None:
        self.events.put(("line", text))

    def _do(self, *command: str) -> None:
        """Run a command, its words into the log. Raises MakeError where it fails."""
        self._line("$ " + " ".join(command))
        apart: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", errors="replace", env=clean_environment(os.environ), cwd=self.folder.parent, **apart,
        )  # fmt: skip
        if self._cancelled.is_set():
            _end(self._process)
        with self._process as process:
            assert process.stdout
            last = ""
            for text in process.stdout:
                last = text.rstrip() or last
                self._line(text.rstrip())
        if process.returncode:
            raise MakeError("step", last or f"status {process.returncode}")


class Trying:
    """Tries a Python that the user has chosen, with the same events and result as Making."""

    def __init__(self, python: str):
        self.python, self._wrong = python, ""
        self.events: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.events.put(("step", "check"))
        self._wrong = "store" if confined.from_store(self.python) else find.trouble(self.python)
        self.events.put(None)

    def cancel(self) -> None:
        """It ends by itself."""

    def wait(self) -> None:
        """Nothing is left behind."""

    def result(self) -> Launch:
        """Raises MakeError."""
        self._thread.join()
        if self._wrong:
            kind = "store" if self._wrong == "store" else "step"
            raise MakeError(kind, self.python if kind == "store" else f"{self.python} {self._wrong}")
        return Launch(self.python)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and what it has started."""
    try:
        if sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, timeout=10,
                           creationflags=subprocess.CREATE_NO_WINDOW)  # fmt: skip
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except (OSError, subprocess.SubprocessError):
        pass
