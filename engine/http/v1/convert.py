"""Workflows of other forms in, ComfyUI's API format out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from pydantic import BaseModel, JsonValue

from engine.errors import Problem
from engine.graph.document import from_json, loads, to_json
from engine.graph.export import export_prompt
from engine.graph.reading import PNG_SIGNATURE
from engine.graph.workflow import Workflow
from engine.http.body import Body, check_json_type, parse_json
from engine.http.keys import SERVICE, SETTINGS
from engine.http.route import Route
from engine.node.catalogue import Catalogue

TAKES = {
    "application/json": "Darkroom's document, ComfyUI's API format, or what ComfyUI's editor saves",
    "image/png": "a picture that one of both made",
}


class Converted(BaseModel):
    """A workflow as Darkroom's document."""

    workflow: dict[str, JsonValue]
    problems: list[Problem]
    """What was not certain about it. It may still have problems of its own; see `/v1/validate`."""


class Exporting(Body):
    """A workflow to write in another form."""

    workflow: JsonValue


class Exported(BaseModel):
    """A workflow in ComfyUI's API format."""

    prompt: dict[str, JsonValue]
    problems: list[Problem]
    """What is wrong with the workflow; it is written all the same."""


async def convert(request: web.Request) -> Converted:
    """Read a workflow of any form, or the one that made a picture.

    Send its bytes as they are, without a JSON object round them.
    """
    if request.content_type != "image/png":
        check_json_type(request)
    data = await request.clone(client_max_size=request.app[SETTINGS].upload_bytes).read()
    return await asyncio.to_thread(_converted, data, request.app[SERVICE].catalogue)


async def export(request: web.Request, body: Exporting) -> Exported:
    """Write a workflow in ComfyUI's API format, for other programs.

    Subgraphs are taken apart, muted and bypassed nodes resolved. What is not understood is passed on as it is.
    """
    return await asyncio.to_thread(_exported, body.workflow, request.app[SERVICE].catalogue)


def routes() -> Iterable[Route]:
    """The routes between formats."""
    yield Route("POST", "/v1/convert", convert, takes=TAKES, errors=(422,))
    yield Route("POST", "/v1/export", export, errors=(422,))


def _converted(data: bytes, catalogue: Catalogue) -> Converted:
    problems: list[Problem] = []
    workflow = _read(data, catalogue, problems)
    return Converted(workflow=to_json(workflow), problems=problems)


def _read(data: bytes, catalogue: Catalogue, problems: list[Problem]) -> Workflow:
    if data.startswith(PNG_SIGNATURE):
        return loads(data, schemas=catalogue, notice=problems.append)
    return from_json(parse_json(data), schemas=catalogue, notice=problems.append)


def _exported(document: JsonValue, catalogue: Catalogue) -> Exported:
    prompt, problems = export_prompt(from_json(document, schemas=catalogue), catalogue)
    return Exported(prompt=prompt, problems=problems)
