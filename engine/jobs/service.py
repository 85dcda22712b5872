"""The job service: what both APIs call. Everything durable goes through it, and it alone decides what runs next."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.workflow import Workflow
from engine.jobs import history, queue, records
from engine.jobs.checking import Checker
from engine.jobs.database import Database
from engine.jobs.dispatch import Dispatch
from engine.jobs.errors import NoSuchJob, NoWorker
from engine.jobs.events import CatalogueChanged, Event, WireEvent, WorkerChanged, WorkerState
from engine.jobs.events_log import EventLog, Transaction
from engine.jobs.hub import Hub, Subscription
from engine.jobs.journal import keep_journals, remove_journals
from engine.jobs.known_nodes import KnownNodes
from engine.jobs.makers import FileRef, Maker, makers
from engine.jobs.model import FINISHED, Counts, Job, JobDetail, JobPlan, PluginState, Status, Submit
from engine.jobs.running import Running
from engine.jobs.workers import Workers
from engine.node.catalogue import Catalogue
from engine.node.folders import Folders
from engine.node.schema import NodeSchema

T = TypeVar("T")
JobT = TypeVar("JobT", bound=Job)

DATABASE = "darkroom.sqlite"
CATALOGUE = "catalogue.json"


class JobService:
    """The queue, the history, the events and the way to the workers.

    Also what the supervisor reports to: see `engine.jobs.workers.Reports`. All of it is for the event loop's thread.
    Every method that touches the database raises FileProblem when the disk refuses; then nothing was changed.
    """

    def __init__(
        self, folders: Folders, database: Database, log: EventLog, hub: Hub, nodes: KnownNodes, paused: bool
    ) -> None:
        self._folders, self._database, self._log, self._hub, self._nodes = folders, database, log, hub, nodes
        self._paused = paused
        self._checks = ThreadPoolExecutor(1, "checks")  # one: more would only share the interpreter with the loop
        self._workers: Workers | None = None
        self._dispatch: Dispatch | None = None

    @classmethod
    async def open(cls, folders: Folders) -> JobService:
        """Open the database of `folders.user`, and put jobs back in the queue that ran when the server was killed.

        Raises:
            FileProblem: the database is damaged, a newer version wrote it, or another server uses it.
        """
        nodes = await asyncio.to_thread(KnownNodes.load, folders.user / CATALOGUE)
        database = await Database.open(folders.user / DATABASE)
        try:
            log, last = await EventLog.open(database, lambda events: hub.publish(events))
            hub = Hub(last, lambda after, upto, limit: log.read(after, upto, limit=limit), lambda: log.oldest)
            paused = await log.change(_recover)
            await asyncio.to_thread(keep_journals, folders, await database.read(history.unfinished_ids))
        except BaseException:
            await database.close()
            raise
        return cls(folders, database, log, hub, nodes, paused)

    async def start(self, workers: Workers) -> None:
        """Begin to hand jobs to workers. The supervisor is made with this service to report to, and given here."""
        self._workers = workers
        self._dispatch = Dispatch(
            self._log, self._hub, workers, lambda: self._paused, self._forget_saves, self._others_wait
        )
        self._dispatch.wake()

    async def close(self) -> None:
        """Put running jobs back, end all subscriptions, write what is to be written. Stop the workers after this."""
        try:
            if self._dispatch is not None:
                await self._dispatch.close()
            self._log.flush()
        finally:
            self._hub.close()
            self._checks.shutdown(wait=False, cancel_futures=True)
            await self._database.close()

    # ---------------------------------------------------------------------------------------------------- the queue

    async def submit(self, request: Submit) -> list[Job]:
        """Store a job, or all of a sweep, at the end of the queue.

        Raises:
            WorkflowError: with every problem.
            JobConflict: the id is taken, or the idempotency key was used for something else.
            NoWorker: the nodes are not known yet.
        """
        checked = await self._check(lambda checker: checker.request(request))
        key = request.idempotency_key

        def store(tx: Transaction) -> list[Job]:
            before = queue.stored_by_key(tx, key, checked.request) if key is not None else None
            if before is not None:
                return before
            jobs = queue.add(tx, checked.jobs, front=request.front, number=request.number)
            if key is not None:
                queue.remember_key(tx, key, checked.request, jobs)
            return jobs

        jobs = await self._log.change(store)
        self._wake()
        return jobs

    async def get(self, id: str) -> JobDetail | None:
        stored = await self._database.read(lambda connection: records.stored(connection, id))
        return None if stored is None else self._now(stored.detail())

    async def list(
        self,
        *,
        status: Collection[Status] | None = None,
        limit: int = 50,
        offset: int = 0,
        newest_first: bool | None = None,
        query: str = "",
        client: str | None = None,
    ) -> tuple[list[Job], int]:
        """A page of jobs, and how many there are in all.

        Args:
            newest_first: None has what is unfinished in the order of the queue, running first, and else the newest
                first.
            query: only jobs whose id, name, settings or document hold this text.
        """
        jobs, total = await self._database.read(
            lambda connection: history.page(
                connection,
                status=status,
                limit=limit,
                offset=offset,
                newest_first=newest_first,
                query=query,
                client=client,
            )
        )
        return [self._now(job) for job in jobs], total

    async def details(self, ids: Sequence[str]) -> list[JobDetail]:
        """Jobs with their documents, in the order of `ids`; those that are gone are left out."""
        found = await self._database.read(lambda connection: [records.stored(connection, id) for id in ids])
        return [self._now(stored.detail()) for stored in found if stored is not None]

    async def cancel(self, ids: Sequence[str] | None = None) -> list[str]:
        """Cancel jobs, None for all that wait or run; the ids of those that were to be cancelled. A running job has
        stopped when its `job_finished` comes."""
        stopped = await self._log.change(lambda tx: history.cancel(tx, ids))
        return self._stop(stopped)

    async def delete(self, ids: Sequence[str]) -> list[str]:
        """Delete jobs from the queue and the history; a running one is cancelled first. The ids of those there were."""
        stopped = await self._log.change(lambda tx: history.delete(tx, ids))
        return self._stop(stopped)

    async def clear(self, what: Literal["queued", "finished"]) -> list[str]:
        """Delete everything that waits, or everything that is finished; the ids."""
        cleared = await self._log.change(lambda tx: history.clear(tx, what))
        self._wake()
        return cleared

    async def retry(self, id: str) -> Job:
        """Queue a finished job again, as a new job with the same documents and settings.

        Raises:
            NoSuchJob, JobConflict: it is not finished.
        """
        job = await self._log.change(lambda tx: queue.retry(tx, id, str(uuid.uuid4())))
        self._wake()
        return job

    async def move(self, id: str, *, before: str | None = None, front: bool = False) -> Job:
        """Move a queued job before another, to the front, or else to the end.

        Raises:
            NoSuchJob, JobConflict: one of them does not wait any more.
        """
        return await self._log.change(lambda tx: queue.move(tx, id, before=before, front=front))

    async def pause(self) -> None:
        """Start no more jobs, also after a restart, until `resume`. Running jobs go on."""
        await self._log.change(lambda tx: queue.pause(tx, True))
        self._paused = True
        self._wake()

    async def resume(self) -> None:
        await self._log.change(lambda tx: queue.pause(tx, False))
        self._paused = False
        self._wake()

    @property
    def paused(self) -> bool:
        return self._paused

    async def makers(self, files: Sequence[FileRef]) -> Mapping[FileRef, Maker]:
        """Which job and node showed each of these files last, as far as the history knows."""
        return await self._database.read(lambda connection: makers(connection, files))

    async def counts(self) -> Counts:
        return await self._database.read(history.count)

    async def wait(self, id: str) -> Job:
        """The job when it is finished.

        Raises:
            NoSuchJob: there is none, or it was deleted.
            NoWorker: the server is stopping.
        """
        subscription = self.subscribe()
        try:
            while (job := await self._database.read(lambda connection: records.job(connection, id))) is not None:
                if job.status in FINISHED:
                    return job
                await _until_it_ends(subscription, id)
        finally:
            subscription.close()
        raise NoSuchJob(id)

    # ---------------------------------------------------------------------------------------------- without running

    async def validate(
        self,
        workflow: Workflow | JsonValue,
        outputs: Sequence[str] | None = None,
        settings: Mapping[str, JsonValue] | None = None,
    ) -> list[Problem]:
        """Everything that is wrong with a workflow.

        Raises:
            NoWorker: the nodes are not known yet.
        """
        return await self._check(lambda checker: checker.problems(workflow, outputs, settings or {}))

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
        document = await self._check(lambda checker: checker.document(workflow, outputs, settings or {}))
        return await self._some_workers().plan(document, outputs)

    async def free(self, *, unload_models: bool = False, free_memory: bool = False) -> None:
        """Ask the workers to let go of models and of results in memory.

        Raises:
            NoWorker
        """
        await self._some_workers().free(unload_models=unload_models, free_memory=free_memory)

    async def stats(self) -> Sequence[Mapping[str, JsonValue]]:
        """One object for each worker; none while none is up."""
        try:
            return await self._some_workers().stats()
        except NoWorker:
            return ()

    # ------------------------------------------------------------------------------------------------------- nodes

    def reload_nodes(self) -> None:
        """Have the nodes read anew: the workers are replaced when their jobs are done, and start none until then.

        Raises:
            NoWorker
        """
        self._some_workers().renew()

    @property
    def catalogue(self) -> Catalogue:
        """The nodes as the worker described them last; empty before the first worker ever was up."""
        return self._nodes.catalogue

    @property
    def catalogue_etag(self) -> str:
        """Changes when, and only when, the nodes or plugins do."""
        return self._nodes.etag

    @property
    def catalogue_ready(self) -> bool:
        """Whether a worker of this server has confirmed the catalogue."""
        return self._nodes.ready

    @property
    def plugins(self) -> Sequence[PluginState]:
        return self._nodes.plugins

    # ------------------------------------------------------------------------------------------------------ events

    def publish(self, event: Event) -> None:
        """Log an event of the server's own and tell everybody."""
        self._log.add(event)

    def subscribe(self, after: int | None = None, client: str | None = None) -> Subscription:
        """Listen. None for `after` begins now; else everything after that event comes first, without gap or repeat.

        Args:
            client: leave out what concerns the jobs of other clients.
        """
        return self._hub.subscribe(after, client)

    async def events_of(self, job: str, after: int = 0, limit: int = 10_000) -> list[WireEvent]:
        """A job's events that the log still has, oldest first."""
        return await self._log.read(after, job=job, limit=limit)

    @property
    def last_seq(self) -> int:
        """The `seq` of the newest event that was told."""
        return self._hub.last_seq

    # --------------------------------------------------------------------------------------------- for the supervisor

    def catalogue_arrived(self, nodes: Sequence[NodeSchema], plugins: Sequence[PluginState]) -> None:
        """Take the nodes as a worker describes them."""
        if self._nodes.replace(nodes, plugins):
            self._checks.submit(self._nodes.keep)
            self.publish(CatalogueChanged(etag=self._nodes.etag))

    def worker_changed(self, device: str | None, state: WorkerState) -> None:
        self.publish(WorkerChanged(device=device, state=state))
        self._wake()

    def job_event(self, job: str, attempt: int, event: Mapping[str, JsonValue]) -> None:
        if self._dispatch is not None:
            self._dispatch.event(job, attempt, event)

    def job_preview(self, job: str, attempt: int, node: str, media_type: str, image: bytes) -> None:
        if self._dispatch is not None:
            self._dispatch.preview(job, attempt, node, media_type, image)

    def job_done(
        self,
        job: str,
        attempt: int,
        status: Literal["done", "failed", "cancelled"],
        seconds: float,
        outputs: Mapping[str, Mapping[str, JsonValue]],
        problems: Sequence[Problem],
    ) -> None:
        if self._dispatch is not None:
            self._dispatch.done(job, attempt, status, seconds, outputs, problems)

    def job_yielded(self, job: str, attempt: int) -> None:
        if self._dispatch is not None:
            self._dispatch.yielded(job, attempt)

    def job_lost(self, job: str, attempt: int, reason: Problem) -> None:
        if self._dispatch is not None:
            self._dispatch.lost(job, attempt, reason)

    # --------------------------------------------------------------------------------------------------------- parts

    async def _check(self, check: Callable[[Checker], T]) -> T:
        """Check something beside the event loop."""
        if not len(self.catalogue):
            raise NoWorker("The nodes are not known yet, since the first worker is starting; try again in a moment.")
        checker = Checker(self.catalogue, self._folders)
        return await asyncio.get_running_loop().run_in_executor(self._checks, check, checker)

    async def _others_wait(self) -> bool:
        """Whether jobs wait that a running one may make way for."""
        return not self._paused and await self._database.read(queue.others_wait)

    def _some_workers(self) -> Workers:
        if self._workers is None:
            raise NoWorker("No worker was started.")
        return self._workers

    def _stop(self, stopped: history.Stopped) -> list[str]:
        if self._dispatch is not None:
            self._dispatch.cancel(stopped.running)
        self._wake()
        return stopped.jobs

    def _now(self, job: JobT) -> JobT:
        """A job as read, with how far it has come if it runs."""
        running = self._running(job)
        return job if running is None else job.model_copy(update=running.progress(job))

    def _forget_saves(self, job: str) -> None:
        """The job is over, so that nobody will ask any more where it saved what."""
        remove_journals(self._folders, [job])

    def _running(self, job: Job) -> Running | None:
        running = self._dispatch.running.get(job.id) if self._dispatch is not None else None
        return running if running is not None and running.job.attempts == job.attempts else None

    def _wake(self) -> None:
        if self._dispatch is not None:
            self._dispatch.wake()


def _recover(tx: Transaction) -> bool:
    """Put back what ran; whether the queue is paused."""
    queue.recover(tx)
    return history.is_paused(tx)


async def _until_it_ends(subscription: Subscription, job: str) -> None:
    """Wait for the event that may have finished a job."""
    async for message in subscription:
        if isinstance(message, WireEvent) and message.job == job and message.type in ("job_finished", "job_removed"):
            return
    raise NoWorker("The server is stopping; the job goes on when it is up again.")
