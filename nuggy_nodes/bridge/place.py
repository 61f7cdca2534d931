"""Where the plug-in and the worker meet: a folder of the user's own, with a lock, a log, and a socket or its equal.

On Unix it is `worker.sock`, a socket of mode 0600 in a folder of mode 0700, and the kernel says who is at the other
end. On Windows, where Python has no Unix sockets, it is a port on the loopback interface and the file `worker.json`,
which holds the port's number and a secret made anew by each worker; the folder lies in the user's profile, which other
users cannot read, and each side proves that it has the secret before anything else is said (protocol.py).

Whoever holds the lock is the one worker of this folder; the lock goes with its process, however that ends. So a socket
whose lock is free is a dead one's, and may be removed by the one who takes the lock. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from . import lock
from .peer import is_this_user

LONGEST = 100  # bytes of a socket's path that every Unix takes (104 on macOS, 108 on Linux)
FILES = ("worker.sock", "worker.json")


class PlaceError(Exception):
    """The folder cannot be used, or somebody else is in it."""


class Unreachable(Exception):
    """No worker is there."""


def default_folder(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The user's runtime folder for Nuggy. A worker and a plug-in of the same user arrive at the same one."""
    env = os.environ if environ is None else environ
    if platform == "win32":
        base = env.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")
        return Path(base, "Nuggy", "bridge")
    runtime = env.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime) and os.path.isdir(runtime):
        return Path(runtime, "nuggy")
    if platform == "darwin":  # it has no runtime folder
        return Path(os.path.expanduser("~"), "Library", "Caches", "nuggy")
    return Path(tempfile.gettempdir(), f"nuggy-{os.getuid()}")


class Place:
    """One such folder. `loopback` is for platforms without Unix sockets (and for testing that way on others)."""

    def __init__(self, folder: Path | None = None, *, loopback: bool | None = None):
        self.folder = Path(folder) if folder else default_folder()
        self.loopback = not hasattr(socket, "AF_UNIX") or sys.platform == "win32" if loopback is None else loopback
        self.socket, self.card = (self.folder / name for name in FILES)
        self.lock, self.log = self.folder / "worker.lock", self.folder / "worker.log"

    def prepare(self) -> None:
        """Make the folder, or make sure that it is this user's alone. Raises PlaceError."""
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.folder.mkdir(mode=0o700)
            except FileExistsError:
                pass
            if os.name == "posix":
                found = os.lstat(self.folder)
                if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                    raise PlaceError(f"{self.folder} is not a folder of yours; remove it, or set XDG_RUNTIME_DIR")
                if stat.S_IMODE(found.st_mode) & 0o077:
                    os.chmod(self.folder, 0o700)
        except OSError as e:
            raise PlaceError(f"{self.folder} cannot be used: {e.strerror or e}") from None
        if not self.loopback and len(os.fsencode(self.socket)) > LONGEST:
            raise PlaceError(f"{self.socket} is too long a path for a socket; set XDG_RUNTIME_DIR to a shorter one")

    def take_lock(self) -> IO[bytes] | None:
        """The lock, held until the file is closed or the process ends, or None if another process has it."""
        return lock.take(self.lock)

    def open_log(self) -> IO[bytes]:
        """The worker's log, emptied, for its standard output and error."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        return os.fdopen(os.open(self.log, flags, 0o600), "ab", 0)

    def log_size(self) -> int:
        """Bytes of the log so far."""
        try:
            return self.log.stat().st_size
        except OSError:
            return 0

    def last_words(self, lines: int = 5, since: int = 0) -> str:
        """The last lines of the log, of those after so many bytes (unless it was begun anew since)."""
        try:
            with open(self.log, "rb") as f:
                raw = f.read()
        except OSError:
            return ""
        text = (raw[since:] if len(raw) >= since else raw)[-20000:].decode("utf-8", "replace")
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def listen(self) -> tuple[socket.socket, bytes]:
        """A listening socket and its secret. Only for the holder of the lock; replaces what a dead worker left."""
        if self.loopback:
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            server.bind(("127.0.0.1", 0))
            server.listen(8)
            secret = secrets.token_bytes(32)
            card = json.dumps({"port": server.getsockname()[1], "secret": secret.hex()}).encode()
            temporary = self.card.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
                f.write(card)
            os.replace(temporary, self.card)
            return server, secret
        self.socket.unlink(missing_ok=True)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            server.bind(str(self.socket))
        finally:
            os.umask(mask)
        server.listen(8)
        return server, b""

    def remove(self) -> None:
        """Take the socket away. Only for the holder of the lock."""
        for path in (self.socket, self.card):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def worker(self) -> int:
        """The process id of the worker that holds the lock, 0 if none does."""
        try:
            held = self.take_lock() if self.lock.exists() else None
            if held is None and self.lock.exists():
                return int(self.lock.read_text() or 0)
        except (OSError, ValueError):
            return 0
        if held:
            held.close()
        return 0

    def clear(self) -> None:
        """Take everything away, where no worker is: after an uninstallation nothing of it is left."""
        if not self.folder.is_dir() or self.worker():
            return
        for path in (self.socket, self.card, self.log, self.lock):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else's file is in it
            self.folder.rmdir()

    def remove_dead(self, patience: float = 1.0) -> None:
        """Take away what a killed worker left, if no worker is there. Its lock may outlive its last word a moment."""
        until = time.monotonic() + patience
        while self.folder.is_dir() and (self.socket.exists() or self.card.exists()):
            held = self.take_lock()
            if held:
                with held:
                    self.remove()
            elif time.monotonic() > until:
                return
            else:
                time.sleep(0.02)

    def connect(self, timeout: float) -> tuple[socket.socket, bytes]:
        """A connection to the worker and the secret. Raises Unreachable, or PlaceError if it is another user's."""
        try:
            if self.loopback:
                card = json.loads(self.card.read_bytes())
                self.remove_dead(0.0)  # a killed worker's card may name a port that is another program's by now
                if not self.card.exists():
                    raise FileNotFoundError(f"{self.card} was a dead worker's")
                link = socket.create_connection(("127.0.0.1", int(card["port"])), timeout)
                return link, bytes.fromhex(card["secret"])
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(timeout)
            try:
                link.connect(str(self.socket))
            except OSError:
                link.close()
                raise
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise Unreachable(f"no worker at {self.folder} ({e})") from None
        try:
            if is_this_user(link):
                return link, b""
            text = f"{self.socket} is served by another user; remove it"
        except OSError as e:
            text = f"the other side's user cannot be told: {e}"
        link.close()
        raise PlaceError(text)
