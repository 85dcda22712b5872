"""A worker's post: the process that holds it now and the one that comes after, and the jobs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from pydantic import JsonValue

from engine.errors import DarkroomError, Problem, WorkflowError
from engine.jobs.errors import NoWorker
from engine.jobs.events import WorkerState
from engine.jobs.process import Limits, WorkerProcess
from engine.jobs.protocol import (
    CancelJob,
    CatalogueSent,
    FromWorker,
    JobDone,
    JobEvent,
    JobPreview,
    OthersWait,
    Question,
    Reply,
    RunJob,
    Stop,
)
from engine.jobs.worker_log import WorkerLog
from engine.jobs.workers import Order, Reports

BACK_OFF_S = (0.0, 0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""How long to wait before the next worker, by how many have ended since one finished a job."""
OVERDUE_S = 5.0
"""How long a job that took too long has to stop before its worker is ended."""


@dataclass(slots=True)
class Running:
    """A job that the worker has, or gets as soon as it is alone with it."""

    order: Order
    sent_at: float | None = None
    nodes: dict[str, str] = field(default_factory=dict[str, str])
    """The nodes that run now, first the one that began first, with their types."""
    stop_by: float | None = None
    """When the worker is ended if the job has not stopped."""
    overdue: Problem | None = None
    """Why it is stopped, if it took too long."""


class Post:
    """Keeps one worker.

    A job whose worker ended gets its next one to itself: so of the jobs that ran together, the one that is to blame is
    found out, and the others get through.

    Args:
        device: what is asked of the worker with `--device`; afterwards the name of what it got.
        command: starts a worker.
        suspects: jobs whose worker ended, of all posts.
        say: told in a sentence when a worker has ended.
        before_renewed: called when a worker was ended for `renew`, before the next one is started.
    """

    def __init__(
        self,
        device: str,
        command: Sequence[str],
        reports: Reports,
        log: WorkerLog,
        limits: Limits,
        suspects: set[str],
        say: Callable[[str], None],
        before_renewed: Callable[[], None],
    ) -> None:
        self.device = device
        self.state: WorkerState = "gone"
        self.problem: str | None = None
        """Why the last worker ended, until the next one is ready."""
        self.process: WorkerProcess | None = None
        self.jobs: dict[str, Running] = {}
        self._command = (*command, "--device", device)
        self._reports = reports
        self._log = log
        self._limits = limits
        self._suspects = suspects
        self._say = say
        self._before_renewed = before_renewed
        self._alone: str | None = None
        self._answers: dict[int, asyncio.Future[JsonValue]] = {}
        self._asked = 0
        self._started_at = 0.0
        self._ended_in_a_row = 0
        self._to_renew = False
        self._is_closing = False

    async def keep(self, server: tuple[str, int]) -> None:
        """Start a worker, and another whenever one ends, until `close`."""
        while not self._is_closing:
            self.process = WorkerProcess(self._command, self._log, self._limits, self._heard, self._tick)
            self._started_at = monotonic()
            self._change("starting")
            how = await self.process.live(server)
            if self._is_closing:
                return
            self._ended(how)
            await asyncio.sleep(BACK_OFF_S[min(self._ended_in_a_row, len(BACK_OFF_S) - 1)])

    def close(self) -> None:
        """Ask the worker to stop, and report nothing more: its jobs are still the queue's."""
        self._is_closing = True
        if self.process is not None:
            self.process.send(Stop())

    def renew(self) -> None:
        """Replace the worker by one that knows today's code, when its jobs are done."""
        if self.process is None:  # the next one is about to start
            self._before_renewed()
            return
        self._to_renew = True
        self._renew_if_idle()

    @property
    def is_up(self) -> bool:
        """Whether the worker takes jobs and questions."""
        return self.state in ("ready", "busy") and not self._is_closing

    # ------------------------------------------------------------------------------------------------------------ jobs

    def places(self, parallel: int) -> int:
        """How many more jobs could start now."""
        if not self.is_up or self._alone is not None or self._to_renew:
            return 0
        return max(parallel - len(self.jobs), 0)

    def start(self, order: Order) -> None:
        """Hand a job to the worker.

        Raises:
            NoWorker: there is none just now.
        """
        if not self.is_up:
            raise self.no_worker()
        self.jobs[order.job] = Running(order)
        if order.job in self._suspects:
            self._alone = order.job
        self._send_waiting()
        self._change("busy")

    def cancel(self, job: str) -> None:
        running = self.jobs[job]
        if running.sent_at is None:
            self._forget(job)
            self._reports.job_done(job, running.order.attempt, "cancelled", 0.0, {}, ())
        elif running.stop_by is None:
            self._stop_job(job, running, self._limits.cancel_s)

    def tell_of_others(self, waiting: bool) -> None:
        """Tell the worker's jobs whether others wait in the queue."""
        if self.process is not None and self.jobs:
            self.process.send(OthersWait(waiting=waiting))

    def _send_waiting(self) -> None:
        for job, running in self.jobs.items():
            if running.sent_at is None and self._alone in (None, job) and (self._alone is None or len(self.jobs) == 1):
                running.sent_at = monotonic()
                order = running.order
                self._send_order(order)

    def _send_order(self, order: Order) -> None:
        assert self.process is not None
        self.process.send(
            RunJob(
                job=order.job,
                attempt=order.attempt,
                workflow=order.workflow,
                outputs=None if order.outputs is None else tuple(order.outputs),
                prompt_json=order.prompt_json,
                workflow_json=order.workflow_json,
                wants_preview=order.wants_preview,
            )
        )

    def _stop_job(self, job: str, running: Running, within_s: float) -> None:
        assert self.process is not None
        self.process.send(CancelJob(job=job))
        running.stop_by = monotonic() + within_s

    def _forget(self, job: str) -> None:
        del self.jobs[job]
        if self._alone == job:
            self._alone = None
        self._send_waiting()
        if not self.jobs and self.state == "busy":
            self._change("ready")
        self._renew_if_idle()

    # ------------------------------------------------------------------------------------------------------- questions

    async def ask(self, question: Callable[[int], Question]) -> JsonValue:
        """The worker's answer.

        Args:
            question: makes it, with the number it is given.

        Raises:
            NoWorker: there is none, or it ended before it answered.
            WorkflowError: it refused a workflow.
            DarkroomError: it could not do what was asked.
        """
        if not self.is_up or self.process is None:
            raise self.no_worker()
        self._asked += 1
        number = self._asked
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self.process.send(question(number))
        try:
            return await answer
        finally:
            self._answers.pop(number, None)

    def no_worker(self) -> NoWorker:
        """Why nobody answers here, and whether waiting helps."""
        if self.problem is not None:
            return NoWorker(f"No worker is up: {self.problem}")
        return NoWorker("The worker is still starting; try again in a few seconds.")

    # --------------------------------------------------------------------------------------------- what is heard of it

    def _heard(self, message: FromWorker, payload: bytes) -> None:
        if self._is_closing:
            return
        match message:
            case CatalogueSent():
                self.problem = None
                self._reports.catalogue_arrived(message.nodes, message.plugins)
                self._change("ready")
            case JobEvent():
                if (running := self._running(message.job, message.attempt)) is not None:
                    _follow(running, message.event)
                    self._reports.job_event(message.job, message.attempt, message.event)
            case JobPreview(job=job, attempt=attempt):
                if self._running(job, attempt) is not None:
                    self._reports.job_preview(job, attempt, message.node, message.media_type, payload)
            case JobDone():
                self._done(message)
            case Reply():
                self._answered(message)
            case _:
                pass

    def _running(self, job: str, attempt: int) -> Running | None:
        running = self.jobs.get(job)
        return running if running is not None and running.order.attempt == attempt else None

    def _done(self, done: JobDone) -> None:
        running = self._running(done.job, done.attempt)
        if running is None:
            return
        self._ended_in_a_row = 0
        if running.overdue is not None and done.status == "cancelled":
            self._reports.job_lost(done.job, done.attempt, running.overdue)
        else:
            self._suspects.discard(done.job)
            if done.status == "yielded":
                self._reports.job_yielded(done.job, done.attempt)
            else:
                self._reports.job_done(done.job, done.attempt, done.status, done.seconds, done.outputs, done.problems)
        self._forget(done.job)

    def _answered(self, reply: Reply) -> None:
        answer = self._answers.get(reply.id)
        if answer is None or answer.done():
            return
        if reply.problems:
            answer.set_exception(WorkflowError(reply.problems))
        elif reply.error is not None:
            answer.set_exception(DarkroomError(reply.error))
        else:
            answer.set_result(reply.result)

    def _tick(self) -> None:
        now = monotonic()
        if self.state == "starting" and self.process is not None and now - self._started_at > self._limits.start_s:
            self.process.end(
                f"did not tell its nodes for {self._limits.start_s:g} seconds; importing a plugin may hang"
            )
        limit_s = self._limits.job_s
        for job, running in self.jobs.items():
            if running.sent_at is None:
                continue
            if limit_s is not None and running.overdue is None and now - running.sent_at > limit_s:
                # Said now, while it is known which node is running.
                what = f"the job ran longer than {limit_s:g} seconds (--job-timeout)"
                running.overdue = _problem("job_timeout", running, what)
                self._stop_job(job, running, OVERDUE_S)
            if running.stop_by is not None and now > running.stop_by and self.process is not None:
                self.process.end("had to be ended, because a job did not stop when it was asked to")

    # ----------------------------------------------------------------------------------------------------- when it ends

    def _ended(self, how: str) -> None:
        assert self.process is not None
        was_ready, words = self.is_up, self.process.last_words
        is_own_fault = not any(running.stop_by for running in self.jobs.values())
        self.process = None
        self._ended_in_a_row = 0 if self._to_renew else self._ended_in_a_row + 1
        if self._to_renew:
            self._before_renewed()
        else:
            self.problem = f"it {how}." + (f" It said:\n{words}" if words and not was_ready else "")
            self._say(f"the worker for {self.device} ended: {self.problem}")
        self._to_renew, self._alone = False, None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NoWorker(f"The worker {how}."))
        lost, self.jobs = self.jobs, {}
        self._change("gone")
        for job, running in lost.items():
            reason = running.overdue or _problem("worker_died", running, f"the worker {how}")
            if is_own_fault or running.stop_by is not None:
                self._suspects.add(job)
            self._reports.job_lost(job, running.order.attempt, reason)

    def _renew_if_idle(self) -> None:
        if self._to_renew and not self.jobs and self.process is not None and not self._is_closing:
            self.process.end("is replaced, because the code of the nodes changed")

    def _change(self, state: WorkerState) -> None:
        if state != self.state:
            self.state = state
            self._reports.worker_changed(self.device, state)


def _follow(running: Running, event: Mapping[str, JsonValue]) -> None:
    """Keep account of which nodes run now."""
    node = event.get("node")
    if not isinstance(node, str):
        return
    if event["type"] == "node_started":
        running.nodes[node] = str(event.get("node_type"))
    elif event["type"] in ("node_finished", "node_errored", "node_skipped"):
        running.nodes.pop(node, None)


def _problem(code: str, running: Running, what: str) -> Problem:
    """What befell a job, with the node that ran longest of those running; it is the likeliest to be to blame."""
    if not running.nodes:
        return Problem(code, f"{what[0].upper()}{what[1:]} before a node had begun.")
    names = " and ".join(f"'{node}' ({kind})" for node, kind in running.nodes.items())
    return Problem(code, f"{what[0].upper()}{what[1:]}, while {names} was running.", next(iter(running.nodes)))
