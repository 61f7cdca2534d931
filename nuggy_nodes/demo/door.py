"""What stands before the page: who may come in, and no upload for which there is no memory."""

from __future__ import annotations

import hmac
import html
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from ..process import free_memory
from .words import known, table

COOKIE = "nuggy-token"
SPARE = 512 << 20  # bytes of memory that an upload leaves to the work on it
OPEN = "/_stcore/health"  # for whoever watches over the server: it says nothing of the page


class Door:
    """An ASGI middleware. A page opened with `?token=...` gets a cookie and its address without the token; everything
    else, the socket and uploads too, needs the cookie. Without a token everybody who reaches the port is let in."""

    def __init__(self, app: Any, token: str, upload_bytes: int):
        """upload_bytes: what an upload may hold whose length is not announced."""
        self._app, self._token, self._upload = app, token.encode(), upload_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request or socket."""
        refused = self._refused(scope) if scope["type"] in ("http", "websocket") else None
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Any) -> Response | None:
        headers = Headers(scope=scope)
        if self._token and scope["path"] != OPEN:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
            if self._right(given):
                return entered(scope["path"], given)
            if not self._right(cookie(headers)):
                return shut(headers.get("accept-language", ""))
        if scope.get("method") == "PUT" and "/upload_file/" in scope["path"]:
            length = headers.get("content-length", "")
            free = free_memory()
            if free is not None and free < SPARE + (int(length[:18]) if length.isdigit() else self._upload):
                return PlainTextResponse("out of memory", 507)
        return None

    def _right(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token)


def cookie(headers: Headers) -> str:
    """The token that a browser has kept, or ""."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return bytes.fromhex(found.value).decode("utf-8", "replace") if found and _is_hex(found.value) else ""


def entered(path: str, token: str) -> Response:
    """To the same page without the token in its address, which the browser keeps for as long as it is open."""
    answer = RedirectResponse("/" + path.strip("/"), 303)
    answer.set_cookie(COOKIE, token.encode().hex(), httponly=True, samesite="lax")
    return answer


def shut(languages: str) -> Response:
    """A page that says what is missing."""
    language = known(languages)
    text = html.escape(table(language)["token"])
    return HTMLResponse(f'<!doctype html><html lang="{language}"><meta charset="utf-8"><p>{text}</p>', 401)


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True
