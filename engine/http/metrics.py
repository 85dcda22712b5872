"""Figures for Prometheus: how long the queue is, what became of jobs, where time goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from engine.http.errors import Handler
from engine.http.keys import SERVICE
from engine.http.route import Route
from engine.http.v1.events import LISTENERS
from engine.jobs.events import JobFinished, JobNodeErrored, JobNodeFinished, JobNodeStarted, Preview, WireEvent
from engine.jobs.service import JobService

HTTP_SECONDS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
NODE_SECONDS = (0.01, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 1800.0)
MOST_RUNNING = 10_000
"""Nodes remembered until they finish; a worker that dies leaves some that never do."""


class Metrics:
    """All figures, in a registry of their own: two servers may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.jobs = Counter("darkroom_jobs", "Jobs finished.", ["status"], registry=self.registry)
        self.waiting = Gauge("darkroom_queue_jobs", "Jobs in the queue.", ["status"], registry=self.registry)
        self.paused = Gauge("darkroom_queue_paused", "Whether the queue is paused.", registry=self.registry)
        self.listeners = Gauge("darkroom_event_subscribers", "Open event websockets.", registry=self.registry)
        self.events = Counter("darkroom_events", "Events told.", ["type"], registry=self.registry)
        self.nodes = Histogram(
            "darkroom_node_seconds",
            "Seconds that nodes ran, results from the cache left out.",
            ["type"],
            buckets=NODE_SECONDS,
            registry=self.registry,
        )
        self.cached = Counter("darkroom_nodes_cached", "Nodes whose result was cached.", registry=self.registry)
        self.requests = Histogram(
            "darkroom_http_seconds",
            "Seconds until a request was answered.",
            ["method", "route", "status"],
            buckets=HTTP_SECONDS,
            registry=self.registry,
        )
        self._types: dict[tuple[str | None, str], str] = {}

    def heard(self, message: WireEvent) -> None:
        """Count an event."""
        self.events.labels(message.type).inc()
        match message.event:
            case JobFinished(status=status):
                self.jobs.labels(status).inc()
            case JobNodeStarted(job=job, node=node, node_type=node_type):
                if len(self._types) >= MOST_RUNNING:
                    self._types.clear()
                self._types[job, node] = node_type
            case JobNodeFinished(cached=True):
                self.cached.inc()
            case JobNodeFinished(job=job, node=node, seconds=seconds):
                self.nodes.labels(self._types.pop((job, node), "unknown")).observe(seconds)
            case JobNodeErrored(job=job, node=node):
                self._types.pop((job, node), None)
            case _:
                pass

    async def text(self, service: JobService, listeners: int) -> bytes:
        """All figures in Prometheus' text format."""
        counts = await service.counts()
        self.waiting.labels("queued").set(counts.queued)
        self.waiting.labels("running").set(counts.running)
        self.paused.set(service.paused)
        self.listeners.set(listeners)
        return generate_latest(self.registry)


METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)


@web.middleware
async def timed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Time the answer. Websockets, which are never done, and requests for what is not there are left out."""
    began = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    if resource is not None and response.status != 101:
        seconds = time.perf_counter() - began
        figures = request.app[METRICS].requests
        figures.labels(request.method, resource.canonical, str(response.status)).observe(seconds)
    return response


async def metrics(request: web.Request) -> web.Response:
    """Give figures to Prometheus."""
    body = await request.app[METRICS].text(request.app[SERVICE], len(request.app[LISTENERS].open))
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def listen(app: web.Application) -> AsyncGenerator[None]:
    """Count events for as long as the server runs."""
    task = asyncio.ensure_future(_count(app[SERVICE], app[METRICS]))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def routes() -> Iterable[Route]:
    """The route of the figures."""
    yield Route("GET", "/metrics", metrics, media={"text/plain": "figures in Prometheus' text format"})


async def _count(service: JobService, metrics: Metrics) -> None:
    subscription = service.subscribe()
    while subscription.closed != "shutdown":
        async for message in subscription:
            if not isinstance(message, Preview):
                metrics.heard(message)
        subscription = service.subscribe()
