"""`nuggy demo`: the page in a browser."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..service.hosts import is_loopback
from ..service.limits import Limits, limits_of
from . import network
from .serve import EXTRA, add_door, check_door

PAGE = Path(__file__).resolve().parents[1] / "demo" / "start" / "nuggy.py"
NEEDED = ("streamlit", "streamlit_drawable_canvas")


def add_parser(commands: Any) -> None:
    p = commands.add_parser(
        "demo",
        help="open the page in a browser: cut out, correct, compose, download",
        description="Serve a page that cuts out, corrects, composes and downloads, for yourself (default) or for a "
        "few people. Nothing is sent anywhere, and uploads are never on the disk.",
    )
    p.add_argument("--no-browser", action="store_true", help="only serve")
    p.add_argument("--language", choices=("en", "ko", "ja", "zh"), help="(default: the browser's)")
    add_door(p, 8501, _run, "keep_minutes")


def _run(args: argparse.Namespace) -> int:
    from ..core.errors import NuggyError

    check_door(args)
    limits = limits_of(args)
    network.check(args)  # said here, not on the page
    if not all(map(find_spec, NEEDED)):
        raise NuggyError(f"`nuggy demo` needs packages more: {EXTRA.format(extra='demo')}")
    command = [sys.executable, "-m", "streamlit", "run", str(PAGE), *options(args, limits)]
    environment = {**os.environ, "NUGGY_TOKEN": args.token}  # not in the list of processes
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PAGE.parents[3]), os.environ.get("PYTHONPATH")]))
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # signals reach the page itself
    return subprocess.run(command, env=environment).returncode


def options(args: argparse.Namespace, limits: Limits) -> list[str]:
    """Streamlit's options, before the user's own files of configuration, then the page's own."""
    loopback = is_loopback(args.host)
    streamlit = {
        "server.address": args.host,
        "server.port": args.port,
        "server.headless": "true",  # the page opens the browser itself, when it answers
        "server.maxUploadSize": limits.upload_mib,
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.enableStaticServing": "false",
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "server.disconnectedSessionTTL": 60,
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": "localhost" if loopback else args.host,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "runner.magicEnabled": "false",
        "logger.level": "warning",
        "global.developmentMode": "false",
        "theme.light.primaryColor": "#b04c12",  # of each: one for both would fix the page to light
        "theme.dark.primaryColor": "#bb551a",  # white on them has WCAG's 4.5, they themselves 3 on their grounds
    }
    told = [f"--{name}={value}" for name, value in streamlit.items()]
    own = [f"--megapixels={limits.megapixels}", f"--waiting={limits.waiting}", f"--upload-mib={limits.upload_mib}"]
    own += [f"--keep-minutes={limits.keep_minutes}", f"--host={args.host}"]
    own += [] if args.no_browser else [f"--open={address(args)}"]
    own += [f"--device={args.device}", f"--precision={args.precision}"]
    own += network.said(args)
    own += [f"--language={args.language}"] if args.language else []
    return [*told, "--", *own]


def address(args: argparse.Namespace) -> str:
    """Where the page is, for this machine's own browser."""
    host = "localhost" if is_loopback(args.host) or args.host in ("0.0.0.0", "::") else args.host
    return f"http://{host}:{args.port}/" + (f"?token={quote(args.token)}" if args.token else "")


def _word(truth: bool) -> str:
    return "true" if truth else "false"
