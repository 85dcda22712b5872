"""The built editor: one page and its assets, from `engine/http/editor/`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from engine.errors import FileProblem
from engine.http.errors import NotThere
from engine.http.route import Route
from engine.node.names import safe_parts

EDITOR: web.AppKey[Path] = web.AppKey("editor", Path)
"""Where the built editor lies."""
BUILT = Path(__file__).parent / "editor"
FOREVER = "public, max-age=31536000, immutable"
"""For assets whose name holds a hash of what is in them."""

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Darkroom</title>
<h1>The editor is not built yet</h1>
<p>The server runs, and so does its <a href="/v1/docs">API</a>. Only the page that belongs here is missing.
<p>Build it once, with Node 20 or newer:
<pre>cd web
npm ci
npm run build</pre>
<p>Then load this page again.
</html>
"""
MEDIA = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
    ".map": "application/json",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
}


async def page(request: web.Request) -> web.StreamResponse:
    """The editor."""
    index = request.app[EDITOR] / "index.html"
    if not index.is_file():
        return web.Response(text=NOT_BUILT, content_type="text/html", headers={"Cache-Control": "no-store"})
    return web.FileResponse(index, headers={"Cache-Control": "no-cache", "Content-Type": "text/html; charset=utf-8"})


async def asset(request: web.Request) -> web.StreamResponse:
    """A script, style or picture of the editor."""
    return _file(request, "assets/" + request.match_info["path"], FOREVER)


async def top_level(request: web.Request) -> web.StreamResponse:
    """A file beside the editor's page, such as its icon."""
    return _file(request, request.match_info["name"], "no-cache")


def routes() -> Iterable[Route]:
    """The editor's own routes. They are pages for people, so the API's document leaves them out."""
    html = {"text/html": "the page"}
    yield Route("GET", "/", page, media=html, documented=False)
    yield Route("GET", "/assets/{path:.+}", asset, errors=(404,), documented=False)
    yield Route("GET", r"/{name:[\w-]+\.\w+}", top_level, errors=(404,), documented=False)


def _file(request: web.Request, name: str, cache: str) -> web.StreamResponse:
    root = request.app[EDITOR]
    try:
        path = root.joinpath(*safe_parts(name, "editor"))
    except FileProblem as error:
        raise NotThere("file", name) from error
    media = MEDIA.get(path.suffix)
    if media is None or not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
        raise NotThere("file", name)
    return web.FileResponse(path, headers={"Cache-Control": cache, "Content-Type": media})
