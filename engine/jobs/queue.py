"""The queue: jobs come in, are taken in their order, and go back when their worker dies.

Every function is one change within a transaction and tells what it did there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import orjson

from engine.errors import Problem
from engine.jobs import history, records
from engine.jobs.errors import JobConflict, NoSuchJob
from engine.jobs.events import JobQueued, JobStarted
from engine.jobs.events_log import Transaction
from engine.jobs.model import FINISHED, MAX_ATTEMPTS, MAX_INTERRUPTIONS, Job
from engine.jobs.records import NewJobs, Stored

KEY_DAYS = 7
"""How long an idempotency key is remembered."""

# The first waiting job of each client, since a client's jobs do not overtake each other. Clients are found one after
# another by the index, so that ten thousand waiting jobs of one client are not looked at. Who has nothing running
# comes before who has: a long sweep must not hold up everybody else. A patient job, which has made way once, comes last
# of all, and only to a device where nothing else runs.
_NEXT = """
WITH RECURSIVE clients (client) AS (
    SELECT min(client) FROM jobs WHERE status = 'queued'
    UNION ALL
    SELECT (SELECT min(client) FROM jobs WHERE status = 'queued' AND client > clients.client)
    FROM clients WHERE clients.client IS NOT NULL
),
heads (n) AS (
    SELECT coalesce(
        (SELECT n FROM jobs WHERE status = 'queued' AND jobs.client = clients.client AND NOT patient
        ORDER BY position, n LIMIT 1),
        (SELECT n FROM jobs WHERE status = 'queued' AND jobs.client = clients.client ORDER BY position, n LIMIT 1)
    )
    FROM clients WHERE client IS NOT NULL
)
SELECT jobs.id FROM heads JOIN jobs USING (n)
WHERE NOT EXISTS (
    SELECT 1 FROM jobs AS other
    WHERE other.status = 'running' AND other.client = jobs.client
    AND (jobs.sweep IS NULL OR other.sweep IS NOT jobs.sweep)
)
AND NOT (patient AND EXISTS (SELECT 1 FROM jobs AS other WHERE other.status = 'running' AND other.device = :device))
ORDER BY patient,
    EXISTS (SELECT 1 FROM jobs AS other WHERE other.status = 'running' AND other.client = jobs.client), position, n
LIMIT 1
"""


def add(tx: Transaction, new: NewJobs, *, front: bool = False, number: float | None = None) -> list[Job]:
    """Store jobs at the end of the queue, at its front, or at a place of their own.

    Raises:
        JobConflict: an id is taken.
    """
    taken = [id for some in records.in_portions(new.ids) for id in _taken(tx, some)]
    if taken:
        raise JobConflict(f"There is a job '{taken[0]}' already; leave the id out, or choose another.")
    count = len(new.ids)
    if number is not None:
        positions = [number] * count
    elif front:
        first = _front(tx) - count + 1
        positions = [first + index for index in range(count)]
    else:
        positions = _end(tx, count)
    jobs = records.insert(tx.connection, new, positions, tx.at)
    for job in jobs:
        tx.tell(JobQueued(job=job.id, job_summary=job), job.client)
    history.tell_counts(tx)
    return jobs


def stored_by_key(tx: Transaction, key: str, request: bytes) -> list[Job] | None:
    """The jobs that were stored under an idempotency key; None when it is new.

    Raises:
        JobConflict: it was used for another request.
    """
    row = tx.connection.execute("SELECT request, jobs FROM idempotency WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row[0] != request:
        raise JobConflict(
            f"The idempotency key '{key[:60]}' was used for another request; use a new key for each request."
        )
    return records.jobs_by_id(tx.connection, orjson.loads(row[1]))


def remember_key(tx: Transaction, key: str, request: bytes, jobs: Sequence[Job]) -> None:
    """Note which jobs a key stands for, and forget old keys."""
    tx.connection.execute("DELETE FROM idempotency WHERE at < ?", (tx.at - KEY_DAYS * 86_400,))
    ids = orjson.dumps([job.id for job in jobs]).decode()
    tx.connection.execute("INSERT INTO idempotency VALUES (?, ?, ?, ?)", (key, request, ids, tx.at))


def take(tx: Transaction, device: str) -> Stored | None:
    """Mark the next job as running on a device; None when none may start now."""
    row = tx.connection.execute(_NEXT, {"device": device}).fetchone()
    if row is None:
        return None
    tx.connection.execute(
        "UPDATE jobs SET status = 'running', attempts = attempts + 1, device = ?, started_at = ? WHERE id = ?",
        (device, tx.at, row[0]),
    )
    taken = _stored(tx, row[0])
    tx.tell(JobStarted(job=taken.job.id, attempt=taken.job.attempts, device=device), taken.job.client)
    history.tell_counts(tx)
    return taken


def give_back(tx: Transaction, ids: Sequence[str]) -> None:
    """Put running jobs back that were not begun or are stopped with the server: as if they had not been taken."""
    for job in reversed(_running(tx, ids)):
        if not history.stop_instead(tx, job):
            tx.connection.execute("UPDATE jobs SET attempts = attempts - 1 WHERE id = ?", (job.id,))
            _requeue(tx, job)
    history.tell_counts(tx)


def step_back(tx: Transaction, id: str, attempt: int) -> None:
    """Put a job back that made way for others: behind all that wait now, and from now on behind all that come."""
    job = _attempt(tx, id, attempt)
    if job is None or history.stop_instead(tx, job):
        return
    (position,) = _end(tx, 1)
    tx.connection.execute("UPDATE jobs SET attempts = attempts - 1, patient = 1 WHERE id = ?", (id,))
    _requeue(tx, job, position)
    history.tell_counts(tx)


def others_wait(connection: sqlite3.Connection) -> bool:
    """Whether there are jobs that a running one may make way for: all but those that have made way themselves."""
    found = connection.execute("SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'queued' AND NOT patient)")
    return bool(found.fetchone()[0])


def lose(tx: Transaction, id: str, attempt: int, reason: Problem) -> None:
    """Put a job back whose worker died, or fail it when that was its last attempt."""
    job = _attempt(tx, id, attempt)
    if job is None or history.stop_instead(tx, job):
        return
    (losses,) = tx.connection.execute(
        "UPDATE jobs SET losses = losses + 1 WHERE id = ? RETURNING losses", (id,)
    ).fetchone()
    if losses < MAX_ATTEMPTS:
        _requeue(tx, job)
        history.tell_counts(tx)
        return
    message = f"{reason.message} The job was tried {losses} times."
    history.finish(
        tx, job, history.Ending("failed", tx.at - (job.started_at or tx.at), {}, (replace(reason, message=message),))
    )


def recover(tx: Transaction) -> None:
    """Put back the jobs that ran when the server was killed, at the front and in their order."""
    for job in reversed(_running(tx, None)):
        if history.stop_instead(tx, job):
            continue
        (times,) = tx.connection.execute(
            "UPDATE jobs SET interruptions = interruptions + 1 WHERE id = ? RETURNING interruptions", (job.id,)
        ).fetchone()
        if times < MAX_INTERRUPTIONS:
            _requeue(tx, job)
            continue
        problem = Problem(
            "server_died",
            f"The server was killed {times} times while this job ran.",
            fix="look whether it needs more memory than there is, then retry it",
        )
        history.finish(tx, job, history.Ending("failed", 0.0, {}, (problem,)))
    history.tell_counts(tx)


def move(tx: Transaction, id: str, *, before: str | None, front: bool) -> Job:
    """Move a waiting job before another, to the front, or to the end.

    Raises:
        NoSuchJob, JobConflict: one of them does not wait.
    """
    _waiting(tx, id)
    if before == id:
        raise JobConflict("A job cannot be moved before itself.")
    if before is not None:
        position = _between(tx, id, before)
    elif front:
        position = _front(tx)
    else:
        (position,) = _end(tx, 1)
    tx.connection.execute("UPDATE jobs SET position = ? WHERE id = ?", (position, id))
    moved = _waiting(tx, id)
    tx.tell(JobQueued(job=id, job_summary=moved), moved.client)
    return moved


def retry(tx: Transaction, id: str, new_id: str) -> Job:
    """Queue a finished job again, as a new one at the end.

    Raises:
        NoSuchJob, JobConflict: it is not finished.
    """
    job = records.job(tx.connection, id)
    if job is None:
        raise NoSuchJob(id)
    if job.status not in FINISHED:
        raise JobConflict(f"The job '{id}' is {job.status}; only a finished job can be run again.")
    (position,) = _end(tx, 1)
    again = records.copy(tx.connection, id, new_id, position, tx.at)
    tx.tell(JobQueued(job=again.id, job_summary=again), again.client)
    history.tell_counts(tx)
    return again


def pause(tx: Transaction, paused: bool) -> None:
    tx.connection.execute("UPDATE meta SET value = ? WHERE key = 'paused'", (int(paused),))
    history.tell_counts(tx)


def _taken(tx: Transaction, ids: Sequence[str]) -> list[str]:
    rows = tx.connection.execute(f"SELECT id FROM jobs WHERE id IN ({records.marks(ids)})", ids)
    return [id for (id,) in rows]


def _end(tx: Transaction, count: int) -> list[float]:
    """The next positions at the end. They are never given twice, as ComfyUI's numbers."""
    (after,) = tx.connection.execute(
        "UPDATE meta SET value = value + ? WHERE key = 'counter' RETURNING value", (count,)
    ).fetchone()
    return [float(after - count + index) for index in range(count)]


def _front(tx: Transaction) -> float:
    (counter,) = tx.connection.execute("SELECT value FROM meta WHERE key = 'counter'").fetchone()
    (first,) = tx.connection.execute("SELECT min(position) FROM jobs WHERE status = 'queued'").fetchone()
    return float(counter if first is None else min(first, counter)) - 1


def _between(tx: Transaction, id: str, before: str) -> float:
    """A position just before that of `before`, and after all that come before it."""
    target = _waiting(tx, before).position
    (previous,) = tx.connection.execute(
        "SELECT max(position) FROM jobs WHERE status = 'queued' AND id != ? AND (position, n) < "
        "(SELECT position, n FROM jobs WHERE id = ?)",
        (id, before),
    ).fetchone()
    if previous is None:
        return target - 1
    middle = (previous + target) / 2
    if previous < middle < target:
        return middle
    _space_out(tx)
    return _between(tx, id, before)


def _space_out(tx: Transaction) -> None:
    """Give the waiting jobs positions with room between them, in their order; halving it had used up the digits."""
    rows = tx.connection.execute("SELECT n FROM jobs WHERE status = 'queued' ORDER BY position, n").fetchall()
    (counter,) = tx.connection.execute("SELECT value FROM meta WHERE key = 'counter'").fetchone()
    tx.connection.executemany(
        "UPDATE jobs SET position = ? WHERE n = ?",
        ((float(counter - len(rows) + index), n) for index, (n,) in enumerate(rows)),
    )


def _requeue(tx: Transaction, job: Job, position: float | None = None) -> None:
    """Back to the front, where it was taken from, or to a position."""
    position = min(job.position, _front(tx)) if position is None else position
    tx.connection.execute(
        "UPDATE jobs SET status = 'queued', position = ?, started_at = NULL, device = NULL WHERE id = ?",
        (position, job.id),
    )
    back = _waiting(tx, job.id)
    tx.tell(JobQueued(job=job.id, job_summary=back), back.client)


def _waiting(tx: Transaction, id: str) -> Job:
    job = records.job(tx.connection, id)
    if job is None:
        raise NoSuchJob(id)
    if job.status != "queued":
        raise JobConflict(f"The job '{id}' does not wait any more, it is {job.status}.")
    return job


def _attempt(tx: Transaction, id: str, attempt: int) -> Job | None:
    job = records.job(tx.connection, id)
    return job if job is not None and job.status == "running" and job.attempts == attempt else None


def _running(tx: Transaction, ids: Sequence[str] | None) -> list[Job]:
    running = records.jobs(tx.connection, "WHERE status = 'running' ORDER BY position, n")
    return [job for job in running if ids is None or job.id in ids]


def _stored(tx: Transaction, id: str) -> Stored:
    found = records.stored(tx.connection, id)
    assert found is not None, "it was updated a moment ago"
    return found
