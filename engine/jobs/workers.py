"""What the job service and the workers' supervisor ask of each other.

The service holds what is durable and decides what runs next; the supervisor holds the processes. Everything here is
called on the server's event loop, and nothing that the supervisor is told or tells waits for a disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from engine.errors import Problem
from engine.jobs.events import WorkerState
from engine.jobs.model import JobPlan, PluginState
from engine.node.schema import NodeSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One attempt of a job, for a worker to run."""

    job: str
    attempt: int
    """1 the first time. What a worker says of an earlier attempt is not heard."""
    device: str
    """One of `Workers.free_places`."""
    workflow: JsonValue
    """The document, with the job's settings in it."""
    outputs: Sequence[str] | None
    prompt_json: str | None
    """What saved pictures carry as `prompt`; None: the graph that runs, in ComfyUI's format."""
    workflow_json: str | None
    """What saved pictures carry as `workflow`; None: the document."""
    wants_preview: bool


class Workers(Protocol):
    """What the service asks of the supervisor.

    Raises (all coroutines):
        NoWorker: none is up, or it died meanwhile.
        WorkflowError: the worker refused the workflow.
    """

    def free_places(self) -> Sequence[str]:
        """The device of each place where one more job could start now, best first; none while no worker is ready."""
        ...

    async def start(self, order: Order) -> None:
        """Hand a job to the worker of its device; returns when it was sent.

        From then on the supervisor reports `job_done` or `job_lost` for this attempt exactly once. When this raises
        NoWorker, the job was not begun and nothing is reported.
        """
        ...

    def cancel(self, job: str) -> None:
        """Ask the worker to stop a job; it still reports `job_done`. Nothing happens when it does not run."""
        ...

    def others_wait(self, waiting: bool) -> None:
        """Tell the workers whether there are jobs in the queue that a running one may make way for."""
        ...

    async def plan(self, workflow: JsonValue, outputs: Sequence[str] | None) -> JobPlan: ...

    async def free(self, *, unload_models: bool, free_memory: bool) -> None: ...

    async def stats(self) -> Sequence[Mapping[str, JsonValue]]:
        """One object for each worker: memory, device, versions."""
        ...

    def renew(self) -> None:
        """Replace each worker by one that reads the nodes anew, as soon as its jobs are done."""
        ...


class Reports(Protocol):
    """What the supervisor tells the service. Returns at once; the service writes and publishes in its own time."""

    def catalogue_arrived(self, nodes: Sequence[NodeSchema], plugins: Sequence[PluginState]) -> None: ...

    def worker_changed(self, device: str | None, state: WorkerState) -> None:
        """A worker changed; the service looks for jobs that could start now."""
        ...

    def job_event(self, job: str, attempt: int, event: Mapping[str, JsonValue]) -> None:
        """A running job's event, as in `engine.jobs.events.RunEvent`: `{"type": "node_started", ...}`."""
        ...

    def job_preview(self, job: str, attempt: int, node: str, media_type: str, image: bytes) -> None: ...

    def job_done(
        self,
        job: str,
        attempt: int,
        status: Literal["done", "failed", "cancelled"],
        seconds: float,
        outputs: Mapping[str, Mapping[str, JsonValue]],
        problems: Sequence[Problem],
    ) -> None: ...

    def job_yielded(self, job: str, attempt: int) -> None:
        """The job stopped for others, of its own will; it runs again after them."""
        ...

    def job_lost(self, job: str, attempt: int, reason: Problem) -> None:
        """The job's worker died, hung or was killed. The job runs again, unless it had its three attempts or was to be
        cancelled; `reason` says what happened and names the node that was running."""
        ...
