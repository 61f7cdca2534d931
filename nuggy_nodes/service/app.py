"""`nuggy serve`: POST /cutout, a picture in and a picture out; /openapi.json and its page; /health."""

from __future__ import annotations

import hmac
from functools import partial
from typing import Any
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..cli.run import fault, out_of_memory, shown
from ..core.errors import ImageError, NuggyError
from .engine import Studio
from .line import Busy
from .openapi import openapi, page
from .upload import Held, Refused, endless, picture_of
from .wanted import wanted

SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Service:
    """The endpoints. Requests in progress are counted: more than the line holds are turned away unread."""

    def __init__(self, studio: Studio, token: str = ""):
        self.studio, self.limits, self._token = studio, studio.limits, token
        self._held = Held(studio.limits.held_mib << 20)
        self._open = 0
        self._threads = anyio.CapacityLimiter(studio.limits.waiting + 2)

    async def cutout(self, request: Request) -> Response:
        """POST /cutout."""
        answer = await self._cutout(request)
        if answer.status_code != 200 and endless(request, self.limits):
            answer.headers["Connection"] = "close"  # or what still comes of the body would be taken, without an end
        return answer

    async def _cutout(self, request: Request) -> Response:
        if not self._known(request):
            return refusal(401, "the token is missing or wrong; send Authorization: Bearer TOKEN")
        if self._open > self.limits.waiting:
            return turned_away(Busy(max(round(self.studio.line.pace * self._open / 2), 1)))
        self._open += 1
        try:
            return await self._answer(request)
        except Busy as e:
            return turned_away(e)
        except Refused as e:
            return refusal(e.status, str(e))
        except ImageError as e:
            return refusal(422, str(e).replace("--max-megapixels", "the server's --max-megapixels"))
        except NuggyError as e:
            return refusal(400, str(e))
        except Exception as e:
            if out_of_memory(e):
                return refusal(507, "out of memory; send a smaller photograph")
            return refusal(500, fault(e))
        finally:
            self._open -= 1

    async def _answer(self, request: Request) -> Response:
        asked = wanted(request.query_params.multi_items(), self.limits.megapixels)  # before the body is taken
        with self._held.counted() as counter:
            data, name = await picture_of(request, counter, self.limits)
            work = partial(self.studio.cut, data, name, asked)
            del data
            made, told = await anyio.to_thread.run_sync(work, limiter=self._threads)
        return Response(made, media_type=asked.media, headers=SAFE | _notes(told))

    async def health(self, request: Request) -> Response:
        """GET /health."""
        return JSONResponse({"waiting": max(self._open - 1, 0), "working": self._open > 0}, headers=SAFE)

    async def openapi(self, request: Request) -> Response:
        """GET /openapi.json."""
        return JSONResponse(openapi(self.limits))

    async def page(self, request: Request) -> Response:
        """GET / and /docs."""
        return HTMLResponse(page(self.limits), headers=SAFE)

    def _known(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        return not self._token or hmac.compare_digest(given, self._token.encode())


def make_app(studio: Studio, token: str = "", hosts: tuple[str, ...] = ("*",)) -> Starlette:
    """The application. token: which requests must bring, "" for none. hosts: the names by which it may be called."""
    service = Service(studio, token)
    routes = [
        Route("/cutout", service.cutout, methods=["POST"]),
        Route("/health", service.health),
        Route("/openapi.json", service.openapi),
        Route("/docs", service.page),
        Route("/", service.page),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))])


def refusal(status: int, text: str, **headers: str) -> Response:
    """One sentence, as JSON."""
    return JSONResponse({"error": shown(text)}, status, headers=SAFE | headers)


def turned_away(e: Busy) -> Response:
    """503, with the seconds after which to come again."""
    return refusal(503, str(e), **{"Retry-After": str(e.seconds)})


def _notes(told: dict[str, Any]) -> dict[str, str]:
    seconds = ", ".join(f"{k};dur={v * 1000:.0f}" for k, v in told["seconds"].items())
    note = {"X-Nuggy-Note": quote(str(told["note"]), safe=" ,;:()'/.-")} if told.get("note") else {}
    return {"Server-Timing": seconds} | note
