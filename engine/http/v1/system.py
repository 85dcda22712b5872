"""What the server runs on, freeing its memory, and links that let another browser in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, JsonValue

from engine.http.body import Body
from engine.http.keys import SERVICE, SETTINGS
from engine.http.route import Route
from engine.http.security import ACCESS
from engine.http.v1.jobs import QueueState, queue
from engine.http.version import version as server_version

STARTED: web.AppKey[float] = web.AppKey("started", float)
"""When the application was made, in seconds since 1970."""


class System(BaseModel):
    """The server and its workers."""

    version: str
    python: str
    system: str
    pid: int
    started_at: float
    """In seconds since 1970."""
    queue: QueueState
    workers: list[dict[str, JsonValue]]
    """One object for each worker that is up: its device, memory and versions."""
    nodes: int
    upload_bytes: int
    """The largest upload."""


class Freeing(Body):
    """What to let go of, between jobs."""

    unload_models: bool = False
    free_memory: bool = False
    """Results kept in memory, too. Those on disk stay."""


class Health(BaseModel):
    """That the server answers."""

    status: Literal["ok"]


class Launch(BaseModel):
    """A link that opens the editor once."""

    path: str
    """To be put behind this server's address."""


async def system(request: web.Request) -> System:
    """Say what the server runs on and how its workers are."""
    service = request.app[SERVICE]
    return System(
        version=server_version(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        pid=os.getpid(),
        started_at=request.app[STARTED],
        queue=await queue(request),
        workers=[dict(each) for each in await service.stats()],
        nodes=len(service.catalogue),
        upload_bytes=request.app[SETTINGS].upload_bytes,
    )


async def free(request: web.Request, body: Freeing) -> None:
    """Let go of models and results in the workers' memory, between jobs."""
    await request.app[SERVICE].free(unload_models=body.unload_models, free_memory=body.free_memory)


async def launch(request: web.Request) -> Launch:
    """Make a link that lets another browser in, once, within a day: for a phone, say."""
    return Launch(path=f"/?launch={request.app[ACCESS].new_launch()}")


async def healthz(request: web.Request) -> Health:
    """Answer, which is all that is asked."""
    return Health(status="ok")


def routes() -> Iterable[Route]:
    """The routes of the server itself."""
    yield Route("GET", "/v1/system", system)
    yield Route("POST", "/v1/free", free, errors=(503,))
    yield Route("POST", "/v1/launches", launch, status=201)
    yield Route("GET", "/healthz", healthz)
