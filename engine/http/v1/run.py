"""What a workflow would do, and doing it: validate, plan, and the call that waits for its picture."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue

from engine.errors import Problem
from engine.http.body import Body
from engine.http.errors import HttpError
from engine.http.keys import FOLDERS, SERVICE
from engine.http.route import Route
from engine.http.v1.jobs import ShortText, Wish
from engine.jobs.model import Job, Submit
from engine.jobs.service import JobService

LOOK_EVERY_S = 0.2
"""How often a waiting call looks whether its client is still there."""
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


class Checked(BaseModel):
    """What is wrong with a workflow; nothing when it can run."""

    problems: list[Problem]


class Plan(BaseModel):
    """Which nodes a run would call, and which results are there already."""

    runs: list[str]
    cached: list[str]


class Asked(Body):
    """A workflow to look at."""

    workflow: JsonValue
    settings: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Inputs to set before it is looked at, by `node.input`."""
    outputs: list[str] | None = None
    """Ids of the nodes that count; null for every output node."""


class RunWish(Wish):
    """A workflow to run while the caller waits."""

    client: ShortText | None = None
    name: ShortText | None = None
    front: bool = False


class Ran(BaseModel):
    """A job that is done, and where to fetch its pictures."""

    job: Job
    images: list[str]
    """Paths on this server."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a job shows."""

    folder: str
    name: str

    @property
    def url(self) -> str:
        return f"/v1/files/{self.folder}/{quote(self.name)}"


async def validate(request: web.Request, body: Asked) -> Checked:
    """Say everything that is wrong with a workflow, without running it."""
    return Checked(problems=await request.app[SERVICE].validate(body.workflow, body.outputs, body.settings))


async def plan(request: web.Request, body: Asked) -> Plan:
    """Say which nodes a run would call now, and which results are cached."""
    found = await request.app[SERVICE].plan(body.workflow, body.outputs, body.settings)
    return Plan(runs=list(found.runs), cached=list(found.cached))


async def run(request: web.Request, body: RunWish) -> Ran | web.StreamResponse:
    """Run a workflow and wait for it.

    With `Accept: image/png` (or `image/*`) the answer is its first picture, else JSON that says where the pictures
    are. When the caller hangs up, the job is cancelled.
    """
    service = request.app[SERVICE]
    wish = Submit(
        workflow=body.document,
        settings=body.settings,
        outputs=body.outputs,
        client=body.client,
        name=body.name,
        front=body.front,
        prompt=body.prompt,
    )
    (job,) = await service.submit(wish)
    job = await _finished(request, service, job.id)
    if job.status != "done":
        problems = job.problems or (Problem(job.status, f"The job was {job.status}."),)
        raise HttpError(
            409 if job.status == "cancelled" else 422,
            f"job_{job.status}",
            f"The job {job.id} was not done: {problems[0]}",
            problems=problems,
        )
    pictures = list(_pictures(job))
    if _wants_picture(request):
        return await _first(request, job, pictures)
    return Ran(job=job, images=[picture.url for picture in pictures])


def routes() -> Iterable[Route]:
    """The routes that look at a workflow or run it at once."""
    yield Route("POST", "/v1/validate", validate)
    yield Route("POST", "/v1/plan", plan, errors=(422, 503))
    yield Route(
        "POST",
        "/v1/run",
        run,
        errors=(409, 422, 503),
        media={"image/png": "its first picture"},
        headers={"Accept": "`image/png` for the picture itself."},
    )


async def _finished(request: web.Request, service: JobService, id: str) -> Job:
    """Wait for a job; cancel it when nobody waits any more."""
    waiting = asyncio.ensure_future(service.wait(id))
    try:
        while not waiting.done():
            await asyncio.wait((waiting,), timeout=LOOK_EVERY_S)
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError
        return waiting.result()
    finally:
        if not waiting.done():
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await service.cancel([id])


def _pictures(job: Job) -> Iterator[Picture]:
    for shown in job.outputs.values():
        images = shown.get("images")
        for each in images if isinstance(images, list) else ():
            if isinstance(each, dict) and isinstance(name := each.get("filename"), str):
                subfolder = cast(str, each.get("subfolder") or "")
                yield Picture(str(each.get("type", "output")), f"{subfolder}/{name}" if subfolder else name)


def _wants_picture(request: web.Request) -> bool:
    first = request.headers.get("Accept", "").partition(",")[0].partition(";")[0].strip()
    return first.startswith("image/")


async def _first(request: web.Request, job: Job, pictures: list[Picture]) -> web.StreamResponse:
    if not pictures:
        raise HttpError(
            406, "no_picture", f"The job {job.id} made no picture.", fix="ask for JSON, or add a SaveImage node"
        )
    path = await asyncio.to_thread(request.app[FOLDERS].resolve, pictures[0].folder, pictures[0].name)
    media = PICTURES.get(path.suffix.lower())
    if media is None:
        raise HttpError(406, "no_picture", f"The job {job.id} made a file that is no picture.", fix="ask for JSON")
    return web.FileResponse(path, headers={"Content-Type": media, "X-Darkroom-Job": job.id})
