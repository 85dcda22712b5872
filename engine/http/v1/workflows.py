"""Saved workflows with their versions, and drafts of what is not saved yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue

from engine.errors import WorkflowError
from engine.graph.document import dumps, from_json
from engine.graph.reading import read_json
from engine.http.body import Body
from engine.http.errors import HttpError, error_answer
from engine.http.keys import SERVICE
from engine.http.route import Route, as_response
from engine.http.user.drafts import Base, Draft, Drafts
from engine.http.user.workflow_files import ANY, NEW, Entry, StaleSave, Stored, WorkflowFiles
from engine.jobs.events import WorkflowSaved

WORKFLOWS: web.AppKey[WorkflowFiles] = web.AppKey("workflows", WorkflowFiles)
DRAFTS: web.AppKey[Drafts] = web.AppKey("drafts", Drafts)


class SavedWorkflow(BaseModel):
    """A version of a saved workflow."""

    name: str
    version: str
    """A digest of its content: send it as `If-Match` to save what was made of it."""
    modified: float
    """In seconds since 1970."""
    workflow: JsonValue


class SaveWorkflow(Body):
    """A document to save. It may be unfinished, but must have a workflow's shape."""

    workflow: dict[str, JsonValue]


class Rename(Body):
    """The new name, with `/` between folders."""

    to: Annotated[str, Field(min_length=1, max_length=1024)]


class KeepDraft(Body):
    """What stands in a tab. The document may be unfinished in every way."""

    workflow: dict[str, JsonValue]
    base: Base | None = None
    """The saved workflow that was opened, and its version; null when it was never saved."""
    title: Annotated[str, Field(max_length=1000)] | None = None


async def list_workflows(request: web.Request) -> list[Entry]:
    """List the saved workflows, by name."""
    return await asyncio.to_thread(request.app[WORKFLOWS].list)


async def read(request: web.Request) -> web.StreamResponse | SavedWorkflow:
    """Fetch a saved workflow. Its version is also its `ETag`."""
    stored = await asyncio.to_thread(request.app[WORKFLOWS].read, request.match_info["name"])
    headers = {"ETag": f'"{stored.version}"', "Cache-Control": "private, no-cache"}
    if any(each.value in (stored.version, "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    response = as_response(await asyncio.to_thread(_saved, stored))
    response.headers.update(headers)
    return response


async def save(request: web.Request, body: SaveWorkflow) -> web.StreamResponse | Entry:
    """Save a workflow; the disk has it when this answers.

    Say what it replaces: `If-Match: "<version>"` for the version it was made from, `If-None-Match: *` for a new one,
    `If-Match: *` to overwrite whatever is there. If something else is there, nothing is saved, and the 409 holds it as
    `current`.
    """
    name, store = request.match_info["name"], request.app[WORKFLOWS]
    expected = _expected(request)
    if expected is None:
        raise HttpError(
            428,
            "no_precondition",
            "It must be said which version this replaces.",
            fix='send If-Match: "<version>", or If-None-Match: * for a new workflow',
        )
    if "darkroom" not in body.workflow:
        raise HttpError(
            422, "not_a_workflow", "This is no Darkroom document.", fix="convert it first with POST /v1/convert"
        )

    def check_and_save() -> Entry:
        return store.save(name, dumps(from_json(body.workflow)).encode(), expected)

    try:
        entry = await asyncio.to_thread(check_and_save)
    except StaleSave as error:
        return await _stale(error)
    request.app[SERVICE].publish(WorkflowSaved(name=entry.name, version=entry.version))
    response = as_response(entry)
    response.headers["ETag"] = f'"{entry.version}"'
    return response


async def delete(request: web.Request) -> web.StreamResponse | None:
    """Move a saved workflow to the bin, with its versions. With `If-Match`, only that version of it."""
    name, expected = request.match_info["name"], _expected(request) or ANY
    try:
        await asyncio.to_thread(request.app[WORKFLOWS].delete, name, expected)
    except StaleSave as error:
        return await _stale(error)
    return None


async def rename(request: web.Request, body: Rename) -> Entry:
    """Give a saved workflow another name. Its versions go with it; a name that is taken is a 409."""
    entry = await asyncio.to_thread(request.app[WORKFLOWS].rename, request.match_info["name"], body.to)
    request.app[SERVICE].publish(WorkflowSaved(name=entry.name, version=entry.version))
    return entry


async def versions(request: web.Request) -> list[Entry]:
    """List the last 50 versions of a saved workflow, newest first."""
    return await asyncio.to_thread(request.app[WORKFLOWS].versions, request.match_info["name"])


async def read_version(request: web.Request) -> SavedWorkflow:
    """Fetch a workflow as it was. To go back to it, save it."""
    names = request.match_info
    stored = await asyncio.to_thread(request.app[WORKFLOWS].read_version, names["name"], names["version"])
    return await asyncio.to_thread(_saved, stored)


async def list_drafts(request: web.Request) -> list[Draft]:
    """List the drafts with their documents, the one changed last first."""
    return await asyncio.to_thread(request.app[DRAFTS].list)


async def keep_draft(request: web.Request, body: KeepDraft) -> Draft:
    """Keep what stands in a tab, in place of what was kept for it before; the disk has it when this answers."""
    id = request.match_info["id"]
    return await asyncio.to_thread(request.app[DRAFTS].keep, id, body.workflow, body.title, body.base)


async def drop_draft(request: web.Request) -> None:
    """Throw a draft away: its tab was saved, or closed for good."""
    await asyncio.to_thread(request.app[DRAFTS].drop, request.match_info["id"])


def _expected(request: web.Request) -> str | None:
    """What a caller says is there: a version, `NEW` or `ANY`; None when nothing is said."""
    if request.if_match:
        value = request.if_match[0].value
        return ANY if value == "*" else value
    if request.if_none_match and request.if_none_match[0].value == "*":
        return NEW
    return None


def _saved(stored: Stored) -> SavedWorkflow:
    """A stored workflow with its document read.

    Raises:
        WorkflowError: somebody edited the file, and it is no JSON any more.
    """
    return SavedWorkflow(
        name=stored.name, version=stored.version, modified=stored.modified, workflow=read_json(stored.data)
    )


async def _stale(error: StaleSave) -> web.Response:
    current: SavedWorkflow | None = None
    if error.current is not None:
        try:
            current = await asyncio.to_thread(_saved, error.current)
        except WorkflowError:  # damaged by hand: there is no document to show, only that it is another version
            current = SavedWorkflow(
                name=error.name, version=error.current.version, modified=error.current.modified, workflow=None
            )
    refusal = HttpError(409, "stale_version", str(error), fix="compare both versions, then save again")
    return error_answer(refusal, current=current.model_dump() if current else None)


def routes() -> Iterable[Route]:
    """The routes of saved workflows and drafts. Names may hold folders, with `/` or `%2F`."""
    match = {"If-Match": "The version that is replaced, quoted, or *.", "If-None-Match": "* for a new workflow."}
    tag = {"If-None-Match": "The version that is already there."}
    path = "/v1/workflows/{name:.+}"
    yield Route("GET", "/v1/workflows", list_workflows)
    yield Route("GET", f"{path}/versions", versions, errors=(404,))
    yield Route("GET", f"{path}/versions/{{version:[0-9a-f]{{32}}}}", read_version, errors=(404,))
    yield Route("POST", f"{path}/rename", rename, errors=(404, 409))
    yield Route("GET", path, read, errors=(404,), headers=tag)
    yield Route("PUT", path, save, errors=(409, 413, 422, 428), headers=match)
    yield Route("DELETE", path, delete, errors=(404, 409), headers={"If-Match": "The version that is deleted."})
    yield Route("GET", "/v1/drafts", list_drafts)
    yield Route("PUT", "/v1/drafts/{id}", keep_draft, errors=(413,))
    yield Route("DELETE", "/v1/drafts/{id}", drop_draft)
