"""The bridge in a process that looks like Windows: python as_windows.py ask|work.

No Unix sockets, no user ids, no fcntl; instead of them msvcrt and the flags of CreateProcess. What Windows itself does
otherwise (its file locks, its paths) is not shown by this. Prints what came back.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile  # noqa: F401 - the standard library's own modules look at the platform too: first of all
import threading
import types

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def locking(fd: int, mode: int, count: int) -> None:
    assert mode == 2 and count == 1 and os.lseek(fd, 0, os.SEEK_CUR) > 1000, "a byte past the content"
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def disguise() -> None:
    msvcrt = types.ModuleType("msvcrt")
    msvcrt.locking, msvcrt.LK_NBLCK = locking, 2
    for name in ("fcntl", "pwd", "grp", "termios", "resource"):
        sys.modules[name] = None  # importing it fails
    sys.modules["msvcrt"] = msvcrt
    sys.platform = "win32"
    for owner, names in ((socket, ("AF_UNIX", "SO_PEERCRED")), (signal, ("SIGHUP",))):
        for name in names:
            delattr(owner, name)
    subprocess.CREATE_NO_WINDOW = subprocess.CREATE_NEW_PROCESS_GROUP = 0  # Popen here refuses any other flags
    sys.path.insert(0, REPOSITORY)
    import nuggy_nodes.bridge.server as server
    from nuggy_nodes.bridge import client, launch, lock, peer, place, protocol

    nt = types.ModuleType("os")
    vars(nt).update({k: v for k, v in vars(os).items() if k not in ("getuid", "O_NOFOLLOW", "fchmod")}, name="nt")
    for module in (lock, peer, place, launch, client, server, protocol):
        if hasattr(module, "os"):
            module.os = nt


def work() -> None:
    from nuggy_nodes.bridge.place import Place
    from nuggy_nodes.bridge.protocol import Message
    from nuggy_nodes.bridge.server import Server, end_on_signals

    end_on_signals()
    Server(Place(), lambda job, blobs, report: Message({}, {"mask": bytes(255 - v for v in blobs["pixels"])}),
           idle=20, describe=lambda: {"threads": threading.active_count()}).serve()  # fmt: skip
    os._exit(0)


def ask() -> None:
    from nuggy_nodes.bridge import client
    from nuggy_nodes.bridge.job import Job
    from nuggy_nodes.bridge.launch import Launch

    class Started(Launch):
        def command(self) -> list[str]:
            return [sys.executable, os.path.abspath(__file__), "work"]

    launch = Started(sys.executable)
    place = launch.place()
    for _ in range(2):
        call = client.ask(launch, Job(4, 1, 1), {"pixels": bytes((0, 1, 2, 255))})
        print([e[0] for e in call.follow() if e], list(call.result().blobs["mask"]))
    print(place.folder, sorted(p.name for p in place.folder.iterdir()), client.ping(launch)["pid"] != os.getpid())
    print(client.quit(place), place.card.exists())


if __name__ == "__main__":
    disguise()
    {"ask": ask, "work": work}[sys.argv[1]]()
