"""A real job service over a real database, with workers that are played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import JsonValue

from engine.graph.workflow import Link, Workflow, WorkflowNode
from engine.jobs.errors import NoWorker
from engine.jobs.events import Preview, WireEvent
from engine.jobs.hub import Subscription
from engine.jobs.model import Job, JobPlan, Submit
from engine.jobs.service import JobService
from engine.jobs.workers import Order
from engine.node.folders import Folders
from tests.graph.catalogue import CATALOGUE, edited, linked, schema

NODES = [
    *CATALOGUE,
    schema("Picture", [edited("size", "INT", 64, minimum=8, maximum=4096), edited("seed", "INT", 0)], "IMAGE"),
    schema("Save", [linked("images", "IMAGE"), edited("prefix", "STRING", "picture")], output=True),
    schema("Old", [edited("power", "INT", 1)], "IMAGE", version=2),
    schema("Open", [edited("image", "STRING", None, widget="file", folder="input")], "IMAGE"),
]
WORKFLOW = Workflow(
    name="a picture",
    nodes={
        "picture": WorkflowNode(type="Picture", inputs={"size": 64}),
        "save": WorkflowNode(type="Save", inputs={"images": Link("picture", "image")}),
    },
)


class Stage:
    """Workers with so many places, on which jobs stand until the test ends them."""

    def __init__(self, service: JobService, places: int = 1) -> None:
        self.service, self.places = service, places
        self.orders: list[Order] = []
        """Every order that was ever sent."""
        self.standing: dict[str, Order] = {}
        self.cancelled: list[str] = []
        self.refuses = self.asked = self.told_of_others = False
        self.renewals = 0
        self._changed = asyncio.Event()

    def free_places(self) -> Sequence[str]:
        return ["cpu"] * (self.places - len(self.standing))

    async def start(self, order: Order) -> None:
        self.asked = True
        if self.refuses:
            raise NoWorker("The worker has just died.")
        self.orders.append(order)
        self.standing[order.job] = order
        self._changed.set()

    def cancel(self, job: str) -> None:
        self.cancelled.append(job)

    def others_wait(self, waiting: bool) -> None:
        self.told_of_others = waiting
        self._changed.set()

    async def plan(self, workflow: JsonValue, outputs: Sequence[str] | None) -> JobPlan:
        assert isinstance(workflow, dict)
        nodes = workflow["nodes"]
        assert isinstance(nodes, dict)
        return JobPlan(tuple(nodes), ())

    async def free(self, *, unload_models: bool, free_memory: bool) -> None:
        pass

    async def stats(self) -> Sequence[Mapping[str, JsonValue]]:
        return [{"device": "cpu"}]

    def renew(self) -> None:
        self.renewals += 1

    # What the test does with them.

    async def started(self, job: Job | str, attempt: int = 1) -> Order:
        """Wait until this attempt of a job is on stage."""
        id = job if isinstance(job, str) else job.id
        while (order := self.standing.get(id)) is None or order.attempt != attempt:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 20)
        return order

    async def told(self, waiting: bool) -> None:
        """Wait until the workers have heard whether others wait."""
        while self.told_of_others is not waiting:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 20)

    def make_way(self, job: Job) -> None:
        self.service.job_yielded(job.id, self.standing.pop(job.id).attempt)

    def tell(self, job: Job, **event: JsonValue) -> None:
        self.service.job_event(job.id, self.standing[job.id].attempt, event)

    def finish(
        self, job: Job, status: str = "done", outputs: Mapping[str, Mapping[str, JsonValue]] | None = None
    ) -> None:
        order = self.standing.pop(job.id)
        assert status in ("done", "failed", "cancelled")
        self.service.job_done(job.id, order.attempt, status, 0.5, outputs or {}, ())


@asynccontextmanager
async def shop(home: Path, *, places: int = 1, nodes: bool = True) -> AsyncGenerator[tuple[JobService, Stage]]:
    """A service that is open, with its workers."""
    service = await JobService.open(Folders.under(home))
    try:
        stage = Stage(service, places)
        if nodes:
            subscription = service.subscribe()
            service.catalogue_arrived(NODES, [])
            service.worker_changed("cpu", "ready")
            await told(subscription, "worker_changed")
            subscription.close()
        await service.start(stage)
        yield service, stage
    finally:
        await service.close()


def wish(**changes: object) -> Submit:
    return Submit(**{"workflow": WORKFLOW, **changes})  # pyright: ignore[reportArgumentType]


async def told(subscription: Subscription, last: str) -> list[WireEvent]:
    """The events up to the first of the type `last`."""
    events: list[WireEvent] = []
    async for message in subscription:
        if not isinstance(message, Preview):
            events.append(message)
            if message.type == last:
                return events
    raise AssertionError(f"closed before {last} came: {subscription.closed}")
