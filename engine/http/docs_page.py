"""The page to browse the API: static files that read `/v1/openapi.json`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from engine.http.errors import NotThere
from engine.http.route import Route

FILES = Path(__file__).parent / "docs"
MEDIA = {
    "index.html": "text/html; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
}


async def docs(request: web.Request) -> web.StreamResponse:
    """Show this API on a page, with every route to read about and try."""
    return _file("index.html")


async def docs_file(request: web.Request) -> web.StreamResponse:
    """The script and the style of that page."""
    return _file(request.match_info["name"])


def routes() -> Iterable[Route]:
    """The routes of the page."""
    yield Route("GET", "/v1/docs", docs, media={"text/html": "the page"})
    yield Route("GET", "/v1/docs/{name}", docs_file, errors=(404,), documented=False)


def _file(name: str) -> web.StreamResponse:
    if name not in MEDIA:
        raise NotThere("file", name)
    return web.FileResponse(FILES / name, headers={"Content-Type": MEDIA[name], "Cache-Control": "no-cache"})
