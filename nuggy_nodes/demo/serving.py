"""The page as a server: its door, and what begins with it."""

from __future__ import annotations

import os
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ..service.hosts import names_of
from . import shared
from .arguments import arguments, limits
from .door import Door


def middleware() -> list[Middleware]:
    """From the outside in: the names by which this machine may be called, then the token and the memory."""
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(names_of(arguments().host)), www_redirect=False),
        Middleware(Door, token=os.environ.get("NUGGY_TOKEN", ""), upload_bytes=limits().upload_mib << 20),
    ]


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Loads the network, and opens the browser where that is wanted."""
    shared.begin()
    address = arguments().open
    if address:
        threading.Timer(0.5, webbrowser.open, (address,)).start()  # when the port answers
    yield
