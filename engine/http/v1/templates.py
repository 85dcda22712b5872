"""The gallery of templates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, JsonValue

from engine.errors import NoSuchFile
from engine.http.route import Route
from engine.http.serving import file_response
from engine.http.user.templates import Template, Templates

TEMPLATES: web.AppKey[Templates] = web.AppKey("templates", Templates)


class TemplateEntry(BaseModel):
    """What the gallery shows of a template."""

    name: str
    title: str
    description: str
    category: str
    nodes: int
    """How many it has."""
    thumbnail: str | None
    """Path of a picture of what it makes."""


async def list_templates(request: web.Request) -> list[TemplateEntry]:
    """List the templates, by category and title."""
    return [_entry(template) for template in await asyncio.to_thread(request.app[TEMPLATES].list)]


async def read(request: web.Request) -> dict[str, JsonValue]:
    """Fetch a template's document, to begin a workflow from."""
    return dict(await asyncio.to_thread(request.app[TEMPLATES].document, request.match_info["name"]))


async def thumbnail(request: web.Request) -> web.StreamResponse:
    """Fetch the picture of what a template makes."""
    name = request.match_info["name"]
    path = await asyncio.to_thread(request.app[TEMPLATES].thumbnail, name)
    if path is None:
        raise NoSuchFile(f"the template {name[:200]!r} has no picture")
    return file_response(path)


def _entry(template: Template) -> TemplateEntry:
    return TemplateEntry(
        name=template.name,
        title=template.title,
        description=template.description,
        category=template.category,
        nodes=template.nodes,
        thumbnail=f"/v1/templates/{quote(template.name, safe='')}/thumbnail" if template.has_thumbnail else None,
    )


def routes() -> Iterable[Route]:
    """The routes of the templates."""
    media = {"image/webp": "the picture", "image/png": "the picture"}
    yield Route("GET", "/v1/templates", list_templates)
    yield Route("GET", "/v1/templates/{name}", read, errors=(404,))
    yield Route("GET", "/v1/templates/{name}/thumbnail", thumbnail, errors=(404,), media=media)
