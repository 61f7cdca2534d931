"""/openapi.json and its page, made of the declared settings; the page asks nobody else for anything."""

from __future__ import annotations

import html
from typing import Any

from .. import __version__
from ..core.recipes import SETTINGS
from ..core.settings import Setting
from .limits import Limits
from .wanted import MEDIA, OWN

ERRORS = {
    400: "A setting or a form that does not fit; one sentence says which.",
    401: "The token is missing or wrong.",
    408: "The picture did not come in time.",
    413: "The file is too large.",
    422: "The picture cannot be read, or is too large once decoded.",
    503: "Too many are waiting; Retry-After tells in how many seconds to come again.",
    507: "Memory ran out.",
}


def openapi(limits: Limits) -> dict[str, Any]:
    """The service's description, OpenAPI 3.1."""
    binary: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
    form = {"type": "object", "required": ["file"], "properties": {"file": binary["schema"]}}
    error = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    parameters = [_parameter(n, schema, text) for n, (schema, text) in OWN.items()]
    parameters += [_parameter(s.name, _schema(s), _help(s)) for s in SETTINGS.values()]
    responses: dict[str, Any] = {
        "200": {
            "description": "The result. X-Nuggy-Note, where there is one, tells what is to be said of it "
            "(percent-encoded), for example that nothing was found.",
            "content": dict.fromkeys(MEDIA.values(), binary),
        }
    }
    for status, text in ERRORS.items():
        responses[str(status)] = {"description": text, "content": {"application/json": {"schema": error}}}
    body = {
        "required": True,
        "description": f"One picture of up to {limits.upload_mib} MiB and {limits.megapixels:g} megapixels, as the "
        "body or as a form's one file.",
        "content": {"application/octet-stream": binary, "image/*": binary, "multipart/form-data": {"schema": form}},
    }
    cutout = {
        "operationId": "cutout",
        "summary": "Cut the subject out of a photograph",
        "parameters": parameters,
        "requestBody": body,
        "responses": responses,
    }
    health = {"operationId": "health", "summary": "Whether it answers, and how many are in the line",
              "responses": {"200": {"description": "It does."}}}  # fmt: skip
    about = {"title": "Nuggy", "version": __version__, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
    return {"openapi": "3.1.0", "info": about, "paths": {"/cutout": {"post": cutout}, "/health": {"get": health}}}


def page(limits: Limits) -> str:
    """The description for people: a form to try it with, every parameter, every status."""
    told = openapi(limits)["paths"]["/cutout"]["post"]
    rows = "".join(
        f"<tr><td><code>{p['name']}</code><td>{html.escape(_range(p['schema']))}<td>{html.escape(p['description'])}"
        for p in told["parameters"]
    )
    statuses = "".join(f"<tr><td>{s}<td>{html.escape(r['description'])}" for s, r in told["responses"].items())
    return PAGE.format(rows=rows, statuses=statuses, what=html.escape(told["requestBody"]["description"]))


def _parameter(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


def _schema(told: Setting) -> dict[str, Any]:
    if told.kind is str:
        return {"type": "string"} | ({"enum": list(told.choices)} if told.choices else {})
    if told.kind is tuple:
        return {"type": "string"}
    kind = {"type": "integer" if told.kind is int else "number"}
    return kind | {k: v for k, v in (("minimum", told.minimum), ("maximum", told.maximum)) if v is not None}


def _help(told: Setting) -> str:
    return told.help + (f" Unit: {told.unit}." if told.unit else "")


def _range(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "minimum" in schema:
        return f"{schema['minimum']:g} to {schema['maximum']:g}"
    return schema["type"]


PAGE = """<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Nuggy over HTTP</title><style>
:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}
td{{border-top:1px solid #8886;padding:.3rem .6rem;vertical-align:top}}
td+td{{max-width:14rem;overflow-wrap:anywhere}}td+td+td{{max-width:none}}pre{{overflow:auto}}</style>
<h1>Nuggy over HTTP</h1><p><code>POST /cutout</code>: a picture in, a picture out. {what}
<pre>curl --data-binary @photo.jpg 'http://127.0.0.1:8000/cutout?recipe=fast' -o cutout.png
curl -F file=@photo.jpg 'http://127.0.0.1:8000/cutout?format=jpeg&amp;background=white' -o cutout.jpg</pre>
<form action=cutout method=post enctype=multipart/form-data><label>Try it:
<input type=file name=file required></label> <button>Cut out</button></form>
<h2>Settings, in the query</h2><table>{rows}</table><h2>Answers</h2><table>{statuses}</table>
<p><a href=openapi.json>openapi.json</a></html>
"""
