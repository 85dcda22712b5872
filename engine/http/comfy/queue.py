"""The queue and the history as ComfyUI's clients read and change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engine.http.body import Query, read_body
from engine.http.comfy.paths import both
from engine.http.comfy.story import JobStory
from engine.http.keys import SERVICE
from engine.http.route import Route
from engine.jobs.model import FINISHED, Job, JobDetail, Status
from engine.jobs.service import JobService
from engine.node.catalogue import Catalogue

MOST = 10_000
"""Entries of the history that one answer holds, as many as ComfyUI keeps."""
SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")
"""Keys of `extra_data` that are never given back."""
Object = dict[str, JsonValue]
_UNFINISHED: tuple[Status, Status] = ("running", "queued")
ModelT = TypeVar("ModelT", bound=BaseModel)


class HistoryQuery(Query):
    """Which part of the history."""

    max_items: Annotated[int, Field(ge=0)] | None = None
    offset: int | None = None
    """Counted from the oldest; left out, `max_items` are the newest."""


class Change(BaseModel):
    """`clear` everything, or `delete` some."""

    model_config = ConfigDict(extra="ignore")

    clear: bool = False
    delete: list[str] = []


class Interruption(BaseModel):
    """Which prompt to stop; without one, whatever runs."""

    model_config = ConfigDict(extra="ignore")

    prompt_id: str | None = None


class Freeing(BaseModel):
    """What to let go of between jobs."""

    model_config = ConfigDict(extra="ignore")

    unload_models: bool = False
    free_memory: bool = False


async def get_queue(request: web.Request) -> dict[str, list[JsonValue]]:
    """List the prompts that run and wait: `[number, id, prompt, extra_data, outputs]`."""
    service = request.app[SERVICE]
    running, waiting = [
        [_item(each, service.catalogue) for each in await _details(service, status)] for status in _UNFINISHED
    ]
    return {"queue_running": running, "queue_pending": waiting}


async def post_queue(request: web.Request) -> web.Response:
    """Clear the queue, or delete prompts that wait."""
    change = await _body(request, Change)
    service = request.app[SERVICE]
    if change.clear:
        await service.clear("queued")
    if change.delete:
        waiting = {job.id for job in (await service.list(status={"queued"}, limit=MOST))[0]}
        await service.delete([id for id in change.delete if id in waiting])
    return web.Response()


async def interrupt(request: web.Request) -> web.Response:
    """Stop what runs, or one prompt if it runs."""
    wanted = (await _body(request, Interruption)).prompt_id
    service = request.app[SERVICE]
    running = [job.id for job in (await service.list(status={"running"}, limit=MOST))[0]]
    await service.cancel([id for id in running if wanted in (None, id)])
    return web.Response()


async def get_history(request: web.Request, query: HistoryQuery) -> Object:
    """Give what has run, oldest first."""
    service = request.app[SERVICE]
    limit = MOST if query.max_items is None else query.max_items
    if limit == 0:
        return {}
    newest = query.offset is None or query.offset < 0
    jobs, _ = await service.list(
        status=FINISHED, limit=min(limit, MOST), offset=max(query.offset or 0, 0), newest_first=newest
    )
    details = await service.details([job.id for job in (reversed(jobs) if newest else jobs)])
    return {each.id: await _entry(service, each) for each in details}


async def get_history_of(request: web.Request) -> Object:
    """Give one prompt's history, or nothing while it has not ended."""
    service = request.app[SERVICE]
    found = await service.get(request.match_info["id"])
    if found is None or found.status not in FINISHED:
        return {}
    return {found.id: await _entry(service, found)}


async def post_history(request: web.Request) -> web.Response:
    """Clear the history, or delete some of it."""
    change = await _body(request, Change)
    service = request.app[SERVICE]
    if change.clear:
        await service.clear("finished")
    found = await service.details(change.delete)
    await service.delete([each.id for each in found if each.status in FINISHED])
    return web.Response()


async def free(request: web.Request) -> web.Response:
    """Let go of models and of results in memory, between jobs."""
    wanted = await _body(request, Freeing)
    await request.app[SERVICE].free(unload_models=wanted.unload_models, free_memory=wanted.free_memory)
    return web.Response()


def routes() -> Iterable[Route]:
    """The routes of the queue and the history."""
    json = {"application/json": "An object."}
    nothing = {"application/octet-stream": "An empty body."}
    yield from both(
        [
            Route("GET", "/queue", get_queue),
            Route("POST", "/queue", post_queue, media=nothing, takes=json),
            Route("POST", "/interrupt", interrupt, media=nothing, takes=json),
            Route("GET", "/history", get_history),
            Route("GET", "/history/{id}", get_history_of),
            Route("POST", "/history", post_history, media=nothing, takes=json),
            Route("POST", "/free", free, media=nothing, takes=json, errors=(503,)),
        ]
    )


async def _details(service: JobService, status: Status) -> list[JobDetail]:
    jobs, _ = await service.list(status={status}, limit=MOST)
    return await service.details([job.id for job in jobs])


def _item(job: JobDetail, catalogue: Catalogue) -> JsonValue:
    return [number_of(job), job.id, prompt_of(job), extra_of(job), outputs_of(job, catalogue)]


def number_of(job: Job) -> int | float:
    """Where a job was queued, as ComfyUI writes it: whole numbers without a point."""
    return int(job.number) if job.number.is_integer() else job.number


def prompt_of(job: JobDetail) -> JsonValue:
    """The prompt as it was sent; a workflow that came another way is given as it is."""
    return job.prompt if job.prompt is not None else job.workflow


def extra_of(job: JobDetail) -> JsonValue:
    """What the client sent beside the prompt, without its secrets."""
    extra = job.extra if isinstance(job.extra, dict) else {}
    return {key: value for key, value in extra.items() if key not in SECRETS}


def outputs_of(job: JobDetail, catalogue: Catalogue) -> JsonValue:
    """The ids of the nodes that were to run: those asked for, else all that show something."""
    if job.requested is not None:
        return list(job.requested)
    if not isinstance(job.prompt, dict):
        return list(job.outputs)
    types = {id: node.get("class_type") for id, node in job.prompt.items() if isinstance(node, dict)}
    schemas = {id: catalogue.get(name) for id, name in types.items() if isinstance(name, str)}
    return [id for id, schema in schemas.items() if schema is not None and schema.output]


async def _entry(service: JobService, job: JobDetail) -> JsonValue:
    story = JobStory(job.id)
    messages: list[JsonValue] = []
    for event in await service.events_of(job.id):
        for kind, data in story.tell(event.event, event.at):
            if kind.startswith("execution_"):
                messages.append([kind, data])
    done = job.status == "done"
    shown: Mapping[str, JsonValue] = {id: {**ui} for id, ui in job.outputs.items()}
    meta: Object = {
        id: {"node_id": id, "display_node": id, "parent_node": None, "real_node_id": id} for id in job.outputs
    }
    return {
        "prompt": _item(job, service.catalogue),
        "outputs": {**shown},
        "status": {"status_str": "success" if done else "error", "completed": done, "messages": messages},
        "meta": meta,
    }


async def _body(request: web.Request, model: type[ModelT]) -> ModelT:
    """An object that may be left out."""
    return await read_body(request, model) if request.body_exists and await request.read() else model()
