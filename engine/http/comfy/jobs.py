"""`/api/jobs`: queue and history as one list, as ComfyUI's newer clients read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, cast

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from engine.http.body import Query, read_body
from engine.http.comfy.queue import extra_of, number_of, prompt_of
from engine.http.errors import NotThere
from engine.http.keys import SERVICE
from engine.http.route import Route
from engine.jobs.model import Job, JobDetail, Status

STATUSES: Mapping[Status, str] = {
    "queued": "pending",
    "running": "in_progress",
    "done": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
SHOWN = ("images", "video", "audio")
MOST = 10_000
Object = dict[str, JsonValue]


def _split(text: object) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


class JobsQuery(Query):
    """Which jobs, and in which order."""

    status: Annotated[
        list[Literal["pending", "in_progress", "completed", "failed", "cancelled"]], BeforeValidator(_split)
    ] = Field(default_factory=list[Literal["pending", "in_progress", "completed", "failed", "cancelled"]])
    sort_by: Literal["created_at", "execution_duration"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100
    offset: Annotated[int, Field(ge=0)] = 0


class Cancelling(BaseModel):
    """Which jobs to cancel."""

    model_config = ConfigDict(extra="ignore")

    job_ids: list[str]


async def list_jobs(request: web.Request, query: JobsQuery) -> Object:
    """List jobs."""
    asked: set[Status] = {ours for ours, theirs in STATUSES.items() if theirs in query.status}
    wanted = asked or set(STATUSES)
    newest = query.sort_order == "desc"
    service = request.app[SERVICE]
    if query.sort_by == "created_at":
        page, total = await service.list(status=wanted, limit=query.limit, offset=query.offset, newest_first=newest)
    else:
        every, total = await service.list(status=wanted, limit=MOST, newest_first=newest)
        every.sort(key=lambda job: job.seconds or 0.0, reverse=newest)
        page = every[query.offset : query.offset + query.limit]
    more = query.offset + len(page) < total
    return {
        "jobs": [_job(each) for each in page],
        "pagination": {"offset": query.offset, "limit": query.limit, "total": total, "has_more": more},
    }


async def get_job(request: web.Request) -> Object:
    """Show a job with its outputs and its prompt."""
    found = await request.app[SERVICE].get(request.match_info["id"])
    if found is None:
        raise NotThere("job", request.match_info["id"])
    return {
        **_job(found),
        "outputs": cast(JsonValue, found.outputs),
        "execution_status": {"status_str": "success" if found.status == "done" else found.status},
        "workflow": {"prompt": prompt_of(found), "extra_data": extra_of(found)},
    }


async def cancel_job(request: web.Request) -> Object:
    """Cancel a job that waits or runs; doing so again changes nothing."""
    service = request.app[SERVICE]
    if await service.get(request.match_info["id"]) is None:
        raise NotThere("job", request.match_info["id"])
    return {"cancelled": bool(await service.cancel([request.match_info["id"]]))}


async def cancel_jobs(request: web.Request) -> Object:
    """Cancel several jobs."""
    wanted = await read_body(request, Cancelling)
    return {"cancelled": bool(await request.app[SERVICE].cancel(wanted.job_ids))}


def routes() -> Iterable[Route]:
    """The routes of jobs, which have no spelling without `/api`."""
    json = {"application/json": "`{job_ids: [...]}`"}
    yield Route("GET", "/api/jobs", list_jobs)
    yield Route("POST", "/api/jobs/cancel", cancel_jobs, takes=json)
    yield Route("GET", "/api/jobs/{id}", get_job, errors=(404,))
    yield Route("POST", "/api/jobs/{id}/cancel", cancel_job, errors=(404,))


def _job(job: Job | JobDetail) -> Object:
    shown = [
        (node, kind, item)
        for node, ui in job.outputs.items()
        for kind, items in ui.items()
        if isinstance(items, list)
        for item in items
        if isinstance(item, dict) and "filename" in item
    ]
    kept = [each for each in shown if each[1] in SHOWN]
    saved = [each for each in kept if each[2].get("type") == "output"]
    told: Object = {
        "id": job.id,
        "status": STATUSES[job.status],
        "priority": number_of(job),
        "create_time": int(job.created_at * 1000),
        "outputs_count": len(shown),
    }
    if job.started_at is not None:
        told["execution_start_time"] = int(job.started_at * 1000)
    if job.finished_at is not None:
        told["execution_end_time"] = int(job.finished_at * 1000)
    if job.problems:
        problem = job.problems[0]
        told["execution_error"] = {
            "node_id": problem.node,
            "exception_message": problem.message,
            "exception_type": problem.code,
        }
    for node, kind, item in (saved or kept)[:1]:
        told["preview_output"] = {**item, "nodeId": node, "mediaType": kind}
    return told
