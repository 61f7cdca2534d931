"""Who is at the other end of a connection, by the kernel's word. Standard library only."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from typing import Any


def is_this_user(link: socket.socket) -> bool:
    """Whether the process at the other end of a Unix socket runs as this user, by the kernel's word.

    True where the kernel cannot say: there the folder's mode (or, on loopback, the secret) keeps others out.
    """
    user = peer_user(link)
    return user is None or user == os.getuid()


def peer_user(link: socket.socket) -> int | None:
    """The user id at the other end of a Unix socket: SO_PEERCRED on Linux, LOCAL_PEERCRED on macOS and the BSDs."""
    if link.family == socket.AF_INET:
        return None
    credentials: Any = getattr(socket, "SO_PEERCRED", None)
    try:
        if credentials is not None:
            return int(struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, credentials, 12))[1])
        if sys.platform == "darwin":
            version, user = struct.unpack_from("=II", link.getsockopt(0, 1, 76))  # struct xucred
            return int(user) if version == 0 else None
    except OSError as e:
        if e.errno not in (errno.ENOPROTOOPT, errno.EINVAL):
            raise
    return None
