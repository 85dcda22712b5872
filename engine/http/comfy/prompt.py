"""`POST /prompt`: queue a graph in API format."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import replace

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engine.errors import WorkflowError
from engine.http.body import read_body
from engine.http.comfy.paths import both
from engine.http.comfy.queue import number_of
from engine.http.comfy.refusal import Refusal, refuse
from engine.http.keys import SERVICE
from engine.http.route import Route
from engine.jobs.model import Job, Submit

Object = dict[str, JsonValue]


class Queued(BaseModel):
    """A prompt in the queue. `node_errors` may name outputs that were left out; the others run."""

    prompt_id: str
    number: float | int
    node_errors: Object


class Remaining(BaseModel):
    """How many prompts run and wait."""

    exec_info: dict[str, int]


class PromptBody(BaseModel):
    """What clients send. Unknown keys are ignored, as ComfyUI ignores them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: JsonValue = None
    client_id: str | None = None
    prompt_id: str | None = None
    number: float | None = None
    front: bool = False
    partial_execution_targets: list[str] | None = None
    extra_data: Object = Field(default_factory=dict[str, JsonValue])


async def post_prompt(request: web.Request) -> web.Response:
    """Queue a prompt.

    Outputs whose nodes have problems are left out, and `node_errors` says why; if none is left, the answer is 400.
    """
    body = await read_body(request, PromptBody)
    if not isinstance(body.prompt, dict):
        return _refused("no_prompt", "No prompt provided", "No prompt provided")
    prompt = body.prompt
    try:
        id = str(uuid.UUID(body.prompt_id)) if body.prompt_id else None
    except ValueError:
        return _refused("invalid_prompt_id", "prompt_id must be a UUID", f"got {body.prompt_id!r}"[:200])
    extra: Object = {**body.extra_data, "create_time": int(time.time() * 1000)}
    if body.client_id is not None:
        extra["client_id"] = body.client_id
    wish = Submit(
        workflow=prompt,
        outputs=body.partial_execution_targets,
        client=body.client_id,
        front=body.front,
        number=body.number,
        id=id,
        source="comfyui",
        extra=extra,
        prompt=prompt,
    )
    service = request.app[SERVICE]
    refusal = None
    try:
        jobs = await service.submit(wish)
    except WorkflowError as error:
        refusal = refuse(error.problems, prompt, body.partial_execution_targets, service.catalogue)
        if not refusal.survivors:
            return _answer(400, {"error": refusal.error, "node_errors": refusal.node_errors})
        try:
            jobs = await service.submit(replace(wish, outputs=refusal.survivors))
        except WorkflowError:
            return _answer(400, {"error": refusal.error, "node_errors": refusal.node_errors})
    return _queued(jobs[0], refusal)


async def get_prompt(request: web.Request) -> Remaining:
    """Say how many prompts run and wait."""
    counts = await request.app[SERVICE].counts()
    return Remaining(exec_info={"queue_remaining": counts.queued + counts.running})


def routes() -> Iterable[Route]:
    """The routes of prompts."""
    json = {"application/json": "`{prompt_id, number, node_errors}`, or `{error, node_errors}` with status 400."}
    takes = {"application/json": "`{prompt, client_id, prompt_id, number, front, extra_data, ...}`"}
    yield from both(
        [
            Route("POST", "/prompt", post_prompt, media=json, takes=takes, errors=(409, 503)),
            Route("GET", "/prompt", get_prompt),
        ]
    )


def _queued(job: Job, refusal: Refusal | None) -> web.Response:
    return _answer(
        200, {"prompt_id": job.id, "number": number_of(job), "node_errors": refusal.node_errors if refusal else {}}
    )


def _refused(kind: str, message: str, details: str) -> web.Response:
    error: Object = {"type": kind, "message": message, "details": details, "extra_info": {}}
    return _answer(400, {"error": error, "node_errors": {}})


def _answer(status: int, value: Object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
