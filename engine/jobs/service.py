"""The job service: what both APIs call. Everything durable goes through it, and it alone decides what runs next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Self

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.workflow import Workflow
from engine.jobs.events import Event, Preview, WireEvent
from engine.jobs.model import Counts, Job, JobDetail, JobPlan, PluginState, Status, Submit
from engine.jobs.workers import Workers
from engine.node.catalogue import Catalogue
from engine.node.folders import Folders


class Subscription:
    """What one listener is told: `async for message in subscription`. Ends when it is closed; `closed` says why."""

    closed: str | None = None
    """`too_slow`: the listener fell behind by more than the log holds. `shutdown`: the server stops."""
    complete: bool = True
    """Whether the log still had every event after the one that was named; if not, load the jobs anew."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WireEvent | Preview:
        raise StopAsyncIteration

    def close(self) -> None: ...


class JobService:
    """The queue, the history, the events and the way to the workers.

    Also what the supervisor reports to: see `engine.jobs.workers.Reports`.
    """

    @classmethod
    async def open(cls, folders: Folders) -> JobService:
        """Open the database of `folders.user`, and put jobs back in the queue that ran when the server was killed.

        Raises:
            FileProblem: the database is damaged, or a newer version wrote it.
        """
        raise NotImplementedError

    async def start(self, workers: Workers) -> None:
        """Begin to hand jobs to workers. The supervisor is made with this service to report to, and given here."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop handing out jobs, end all subscriptions, write what is to be written."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------------ the queue

    async def submit(self, request: Submit) -> list[Job]:
        """Store a job, or all of a sweep, at the end of the queue.

        Raises:
            WorkflowError: with every problem.
            JobConflict: the id is taken, or the idempotency key was used for something else.
            NoWorker: the nodes are not known yet.
        """
        raise NotImplementedError

    async def get(self, id: str) -> JobDetail | None:
        raise NotImplementedError

    async def list(
        self,
        *,
        status: Collection[Status] | None = None,
        limit: int = 50,
        offset: int = 0,
        newest_first: bool = True,
        query: str = "",
        client: str | None = None,
    ) -> tuple[list[Job], int]:
        """A page of jobs, and how many there are. Queued jobs alone come in the order they will run, if not
        `newest_first`."""
        raise NotImplementedError

    async def details(self, ids: Sequence[str]) -> list[JobDetail]:
        """Jobs with their documents, in the order of `ids`; those that are gone are left out."""
        raise NotImplementedError

    async def cancel(self, ids: Sequence[str] | None = None) -> list[str]:
        """Cancel jobs, None for all that wait or run; the ids of those that were to be cancelled. A running job has
        stopped when its `job_finished` comes."""
        raise NotImplementedError

    async def delete(self, ids: Sequence[str]) -> list[str]:
        """Delete jobs from the queue and the history; a running one is cancelled first. The ids of those there were."""
        raise NotImplementedError

    async def clear(self, what: Literal["queued", "finished"]) -> list[str]:
        raise NotImplementedError

    async def retry(self, id: str) -> Job:
        """Queue a finished job again, as a new job with the same documents and settings.

        Raises:
            NoSuchJob, JobConflict: it is not finished.
        """
        raise NotImplementedError

    async def move(self, id: str, *, before: str | None = None, front: bool = False) -> Job:
        """Move a queued job before another, to the front, or else to the end.

        Raises:
            NoSuchJob, JobConflict: one of them does not wait any more.
        """
        raise NotImplementedError

    async def pause(self) -> None:
        """Start no more jobs, also after a restart, until `resume`. Running jobs go on."""
        raise NotImplementedError

    async def resume(self) -> None:
        raise NotImplementedError

    @property
    def paused(self) -> bool:
        raise NotImplementedError

    async def counts(self) -> Counts:
        raise NotImplementedError

    async def wait(self, id: str) -> Job:
        """The job when it is finished.

        Raises:
            NoSuchJob: there is none, or it was deleted.
        """
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------- without running

    async def validate(self, workflow: Workflow | JsonValue, outputs: Sequence[str] | None = None) -> list[Problem]:
        raise NotImplementedError

    async def plan(
        self,
        workflow: Workflow | JsonValue,
        outputs: Sequence[str] | None = None,
        settings: Mapping[str, JsonValue] | None = None,
    ) -> JobPlan:
        """Say which nodes a run would call now.

        Raises:
            WorkflowError, NoWorker
        """
        raise NotImplementedError

    async def free(self, *, unload_models: bool = False, free_memory: bool = False) -> None:
        raise NotImplementedError

    async def stats(self) -> Sequence[Mapping[str, JsonValue]]:
        """One object for each worker, or none while none is up."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------------------- nodes

    @property
    def catalogue(self) -> Catalogue:
        """The nodes as the worker described them last; empty before the first worker was up."""
        raise NotImplementedError

    @property
    def catalogue_etag(self) -> str:
        raise NotImplementedError

    @property
    def catalogue_ready(self) -> bool:
        """Whether a worker of this server has confirmed the catalogue."""
        raise NotImplementedError

    @property
    def plugins(self) -> Sequence[PluginState]:
        raise NotImplementedError

    # --------------------------------------------------------------------------------------------------------- events

    def publish(self, event: Event) -> None:
        """Log an event of the server's own and tell everybody."""
        raise NotImplementedError

    def subscribe(self, after: int | None = None, client: str | None = None) -> Subscription:
        """Listen. None for `after` begins now; else everything after that event comes first, without gap or repeat.

        Args:
            client: leave out what concerns the jobs of other clients.
        """
        raise NotImplementedError

    async def events_of(self, job: str, after: int = 0) -> list[WireEvent]:
        """A job's events that the log still has."""
        raise NotImplementedError

    @property
    def last_seq(self) -> int:
        """The `seq` of the newest event that was told."""
        raise NotImplementedError
