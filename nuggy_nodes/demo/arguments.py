"""What `nuggy demo` has said to the page."""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path

from ..cli import network
from ..service.hosts import is_loopback
from ..service.limits import Limits


@cache
def arguments() -> argparse.Namespace:
    """The page's own part of the command line."""
    p = argparse.ArgumentParser()
    for name, default in (
        ("device", "auto"),
        ("precision", "auto"),
        ("language", None),
        ("host", "127.0.0.1"),
        ("open", ""),
    ):
        p.add_argument("--" + name, default=default)
    network.add_options(p)
    p.add_argument("--megapixels", type=float, default=Limits.megapixels)
    p.add_argument("--waiting", type=int, default=Limits.waiting)
    p.add_argument("--upload-mib", type=int, default=Limits.upload_mib)
    p.add_argument("--keep-minutes", type=float, default=Limits.keep_minutes)
    return p.parse_known_args(sys.argv[1:])[0]


@cache
def limits() -> Limits:
    """The limits of this page."""
    told = arguments()
    return Limits(
        upload_mib=told.upload_mib, megapixels=told.megapixels, waiting=told.waiting, keep_minutes=told.keep_minutes
    )


def another_network() -> list[str]:
    """The network as options of `nuggy cutout`; guests are not told where its file lies."""
    told = argparse.Namespace(**vars(arguments()))
    if told.network and not is_loopback(told.host):
        told.network = Path(told.network).name
    return network.said(told)
