"""`nuggy serve`: an HTTP door for programs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

from ..service.hosts import is_loopback, names_of
from ..service.limits import add_options, limits_of
from . import network

GRACE = 60  # seconds that those at work have when the service is asked to end
EXTRA = "pip install 'nuggy-nodes[{extra}]'"


def add_parser(commands: Any) -> None:
    p = commands.add_parser(
        "serve",
        help="answer POST /cutout over HTTP",
        description="Answer POST /cutout over HTTP: a picture as the body or a form's file, settings as query. "
        "http://127.0.0.1:8000/ tells the rest. Ctrl-C or SIGTERM ends it when those at work are done.",
    )
    add_door(p, 8000, _run)


def add_door(p: argparse.ArgumentParser, port: int, run: Callable[[argparse.Namespace], int], *limits: str) -> None:
    """Options of everything that listens. port: by default; run: the command; limits: those that only some have."""
    p.add_argument("--port", type=int, default=port, help=f"(default: {port})")
    p.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1, this machine "
                   "only); any other needs a token")  # fmt: skip
    p.add_argument("--token", default=os.environ.get("NUGGY_TOKEN", ""), help="what callers must bring (default: "
                   "NUGGY_TOKEN of the environment, or none)")  # fmt: skip
    p.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps; for an .onnx network "
                   "openvino, directml, coreml, rocm too (default: auto)")  # fmt: skip
    p.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16", "int8"))
    network.add_options(p)
    add_options(p, *limits)
    p.set_defaults(run=run)


def check_door(args: argparse.Namespace) -> None:
    """Raises InputError where an open door has no token."""
    from ..core.errors import InputError

    if not 0 < args.port < 65536:
        raise InputError(f"--port must be from 1 to 65535; got {args.port}")
    if not is_loopback(args.host) and len(args.token) < 8:
        raise InputError(f"--host {args.host} can be reached by others: give --token too, of 8 letters at least")


def _run(args: argparse.Namespace) -> int:
    from ..core.errors import NuggyError

    check_door(args)
    network.check(args)
    limits = limits_of(args)
    try:
        import python_multipart  # noqa: F401
        import uvicorn

        from ..service.app import make_app
    except ImportError:
        raise NuggyError(f"`nuggy serve` needs packages more: {EXTRA.format(extra='serve')}") from None
    from ..service.engine import Studio

    studio = Studio(limits, args.device, args.precision, args.network, network.options(args))
    app = make_app(studio, args.token, names_of(args.host))
    config = uvicorn.Config(app, args.host, args.port, log_level="warning", access_log=False, server_header=False,
                            timeout_graceful_shutdown=GRACE, timeout_keep_alive=15, proxy_headers=False)  # fmt: skip
    server = uvicorn.Server(config)
    print(f"nuggy: http://{args.host}:{args.port}/  ({studio.device}; Ctrl-C ends it)", flush=True)
    server.run()
    return 0 if server.started else 1
