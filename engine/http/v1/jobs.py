"""Jobs: submit workflows and sweeps, watch and change the queue, look through the history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, Field, JsonValue, WithJsonSchema, model_validator

from engine.http.body import Body, Query
from engine.http.errors import HttpError, NotThere
from engine.http.keys import SERVICE
from engine.http.route import Route
from engine.jobs.model import Job, JobDetail, Status, Submit, Sweep

ShortText = Annotated[str, Field(max_length=200)]
IDEMPOTENCY = {"Idempotency-Key": "Submitting again with the same key gives the jobs of the first time."}


def _statuses(text: object) -> object:
    """`queued,running` as a tuple; anything else as it is, for pydantic to complain about."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


class Wish(Body):
    """A workflow, and how to run it."""

    workflow: JsonValue = None
    """Darkroom's document, or any other form that `/v1/convert` takes."""
    prompt: JsonValue = None
    """Instead of `workflow`: ComfyUI's API format."""
    settings: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Inputs to set before it runs, by `node.input`."""
    outputs: list[str] | None = None
    """Ids of the nodes to run, with all they need; null for every output node."""

    @model_validator(mode="after")
    def _has_one(self) -> Wish:
        if (self.workflow is None) == (self.prompt is None):
            raise ValueError("give either `workflow` or `prompt`")
        return self

    @property
    def document(self) -> JsonValue:
        """What is to run, whichever way it was given."""
        return self.prompt if self.workflow is None else self.workflow


class NewJobs(Wish):
    """A wish to queue a workflow, once or for every point of a sweep."""

    client: ShortText | None = None
    """Who asks. One client's jobs run one after another, those of different clients and of a sweep together."""
    name: ShortText | None = None
    front: bool = False
    """Run it before everything that waits."""
    sweep: Sweep | None = None
    extra: JsonValue = None
    """Anything to keep with the jobs."""


class Jobs(BaseModel):
    """Jobs."""

    jobs: list[Job]


class JobPage(Jobs):
    """Some of the jobs that were asked for, and how many there are in all."""

    total: int


class Ids(BaseModel):
    """The jobs that this was done to."""

    ids: list[str]


class JobQuery(Query):
    """Which jobs to list."""

    status: Annotated[
        tuple[Status, ...],
        BeforeValidator(_statuses),
        WithJsonSchema({"type": "string", "description": f"Any of {', '.join(get_args(Status))}, joined by commas."}),
    ] = ()
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
    q: ShortText = ""
    """A part of the id, the name, the settings or the workflow."""
    order: Literal["newest", "oldest"] | None = None
    """Left out: jobs that wait or run as they will run, finished ones the newest first."""
    client: ShortText | None = None
    """Only the jobs of this client."""


class AfterQuery(Query):
    """From which event on."""

    after: Annotated[int, Field(ge=0, le=2**53)] = 0


class Which(Body):
    """Jobs by id; null for all that wait or run."""

    ids: Annotated[list[str], Field(max_length=10_000)] | None = None


class Clearing(Body):
    """What to delete: all jobs that wait, or all that are finished."""

    what: Literal["queued", "finished"]


class Place(Body):
    """Where a job goes: before another, to the front, or (with neither) to the end."""

    before: str | None = None
    front: bool = False


class QueueState(BaseModel):
    """The queue in numbers."""

    paused: bool
    queued: int
    running: int


class QueueChange(Body):
    """Whether to start no more jobs for now."""

    paused: bool


async def submit(request: web.Request, body: NewJobs) -> Jobs:
    """Queue a workflow, once or as a sweep.

    The jobs are on disk before this is answered: nothing that was answered gets lost, whatever is switched off.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= 200:
        raise HttpError(400, "bad_key", "The Idempotency-Key has no or too many characters.", fix="use 1 to 200")
    wish = Submit(
        workflow=body.document,
        settings=body.settings,
        outputs=body.outputs,
        client=body.client,
        name=body.name,
        front=body.front,
        sweep=body.sweep,
        idempotency_key=key,
        extra=body.extra,
        prompt=body.prompt,
    )
    return Jobs(jobs=await request.app[SERVICE].submit(wish))


async def list_jobs(request: web.Request, query: JobQuery) -> JobPage:
    """List jobs, waiting, running and finished.

    Documents are left out; `/v1/jobs/{id}` has them.
    """
    jobs, total = await request.app[SERVICE].list(
        status=set(query.status) or None,
        limit=query.limit,
        offset=query.offset,
        newest_first=None if query.order is None else query.order == "newest",
        query=query.q,
        client=query.client,
    )
    return JobPage(jobs=jobs, total=total)


async def get_job(request: web.Request) -> JobDetail:
    """Show a job with its workflow and how far its nodes are."""
    id = request.match_info["id"]
    found = await request.app[SERVICE].get(id)
    if found is None:
        raise NotThere("job", id)
    return found


async def events_of_job(request: web.Request, query: AfterQuery) -> web.Response:
    """List what was told of a job, oldest first.

    The same objects as on `/v1/events`, as far back as the log reaches.
    """
    id = request.match_info["id"]
    service = request.app[SERVICE]
    events = await service.events_of(id, query.after)
    if not events and await service.get(id) is None:
        raise NotThere("job", id)
    body = b'{"events":[' + b",".join(event.json for event in events) + b"]}"
    return web.Response(body=body, content_type="application/json")


async def delete_job(request: web.Request) -> None:
    """Delete a job from the queue or the history.

    A running one is cancelled first. Its pictures stay.
    """
    id = request.match_info["id"]
    if not await request.app[SERVICE].delete([id]):
        raise NotThere("job", id)


async def cancel_job(request: web.Request) -> Ids:
    """Cancel a job that waits or runs.

    A running one has stopped when its `job_finished` is told. A finished one stays as it is: `ids` is empty.
    """
    id = request.match_info["id"]
    service = request.app[SERVICE]
    if await service.get(id) is None:
        raise NotThere("job", id)
    return Ids(ids=await service.cancel([id]))


async def retry_job(request: web.Request) -> Job:
    """Queue a finished job again, as a new job."""
    return await request.app[SERVICE].retry(request.match_info["id"])


async def move_job(request: web.Request, body: Place) -> Job:
    """Move a waiting job before another, to the front or to the end."""
    if body.before is not None and body.front:
        raise HttpError(400, "bad_body", "A job goes before another or to the front.", fix="give one of both")
    return await request.app[SERVICE].move(request.match_info["id"], before=body.before, front=body.front)


async def cancel_jobs(request: web.Request, body: Which) -> Ids:
    """Cancel several jobs, or all that wait or run."""
    return Ids(ids=await request.app[SERVICE].cancel(body.ids))


async def clear_jobs(request: web.Request, body: Clearing) -> Ids:
    """Delete all jobs that wait, or the history."""
    return Ids(ids=await request.app[SERVICE].clear(body.what))


async def queue(request: web.Request) -> QueueState:
    """Say how many jobs wait and run, and whether the queue is paused."""
    service = request.app[SERVICE]
    counts = await service.counts()
    return QueueState(paused=service.paused, queued=counts.queued, running=counts.running)


async def change_queue(request: web.Request, body: QueueChange) -> QueueState:
    """Pause the queue, or let it go on.

    Paused, it takes jobs and starts none, also after a restart. Running jobs go on.
    """
    service = request.app[SERVICE]
    await (service.pause() if body.paused else service.resume())
    return await queue(request)


def routes() -> Iterable[Route]:
    """The routes of jobs and the queue."""
    events = {"application/json": '`{"events": [...]}`'}
    yield Route("POST", "/v1/jobs", submit, status=201, errors=(409, 422, 503), headers=IDEMPOTENCY)
    yield Route("GET", "/v1/jobs", list_jobs)
    yield Route("POST", "/v1/jobs/cancel", cancel_jobs)
    yield Route("POST", "/v1/jobs/clear", clear_jobs)
    yield Route("GET", "/v1/jobs/{id}", get_job, errors=(404,))
    yield Route("DELETE", "/v1/jobs/{id}", delete_job, errors=(404,))
    yield Route("GET", "/v1/jobs/{id}/events", events_of_job, errors=(404,), media=events)
    yield Route("POST", "/v1/jobs/{id}/cancel", cancel_job, errors=(404,))
    yield Route("POST", "/v1/jobs/{id}/retry", retry_job, status=201, errors=(404, 409))
    yield Route("POST", "/v1/jobs/{id}/move", move_job, errors=(404, 409))
    yield Route("GET", "/v1/queue", queue)
    yield Route("PATCH", "/v1/queue", change_queue)
