"""How jobs end, and what becomes of them then: finished, cancelled, deleted, listed, found again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson
from pydantic import JsonValue

from engine.errors import Problem
from engine.jobs import records
from engine.jobs.events import JobFinished, JobRemoved, QueueChanged
from engine.jobs.events_log import Transaction
from engine.jobs.model import FINISHED, UNFINISHED, Counts, Job, NodeState, Status


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended."""

    status: Literal["done", "failed", "cancelled"]
    seconds: float
    outputs: Mapping[str, Mapping[str, JsonValue]]
    problems: Sequence[Problem]
    nodes_total: int | None = None
    nodes_cached: int | None = None
    node_states: Mapping[str, NodeState] = field(default_factory=dict[str, NodeState])


def end(tx: Transaction, id: str, attempt: int, ending: Ending) -> bool:
    """Finish a running job; False when this attempt is not the one that runs, and nothing is changed."""
    job = records.job(tx.connection, id)
    if job is None or job.status != "running" or job.attempts != attempt:
        return False
    finish(tx, job, ending)
    return True


def finish(tx: Transaction, job: Job, ending: Ending) -> None:
    """Note how a job ended, and delete it if that was wished while it ran."""
    outputs = {node: dict(shown) for node, shown in ending.outputs.items()}
    values = {
        "id": job.id,
        "status": ending.status,
        "at": tx.at,
        "seconds": ending.seconds,
        "outputs": _text(outputs),
        "problems": _text([problem.to_json() for problem in ending.problems]),
        "total": ending.nodes_total,
        "cached": ending.nodes_cached,
        "states": _text({node: state.model_dump(exclude_defaults=True) for node, state in ending.node_states.items()}),
    }
    (stopping,) = tx.connection.execute(
        "UPDATE jobs SET status = :status, finished_at = :at, seconds = :seconds, outputs = :outputs, "
        "problems = :problems, nodes_total = :total, nodes_cached = :cached, node_states = :states "
        "WHERE id = :id RETURNING stopping",
        values,
    ).fetchone()
    tx.tell(
        JobFinished(
            job=job.id,
            status=ending.status,
            seconds=ending.seconds,
            outputs=outputs,
            problems=tuple(ending.problems),
        ),
        job.client,
    )
    if stopping == "delete":
        _remove(tx, [job])
    tell_counts(tx)


def stop_instead(tx: Transaction, job: Job) -> bool:
    """End a running job, whose worker is gone, as it was wished while it ran; False if nobody wished it to stop."""
    (stopping,) = tx.connection.execute("SELECT stopping FROM jobs WHERE id = ?", (job.id,)).fetchone()
    if stopping is None:
        return False
    finish(tx, job, Ending("cancelled", tx.at - (job.started_at or tx.at), {}, ()))
    return True


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a wish to cancel or delete came to."""

    jobs: list[str]
    """All that there were."""
    running: list[str]
    """Of those, the ones that a worker has to stop."""


def cancel(tx: Transaction, ids: Sequence[str] | None) -> Stopped:
    """Cancel jobs, None for all: those that wait now, those that run when their worker stops them."""
    unfinished = _unfinished(tx, ids)
    waiting = [job for job in unfinished if job.status == "queued"]
    running = [job.id for job in unfinished if job.status == "running"]
    tx.connection.executemany(
        "UPDATE jobs SET status = 'cancelled', finished_at = ? WHERE id = ?", ((tx.at, job.id) for job in waiting)
    )
    for job in waiting:
        tx.tell(JobFinished(job=job.id, status="cancelled"), job.client)
    tx.connection.executemany(
        "UPDATE jobs SET stopping = coalesce(stopping, 'cancel') WHERE id = ?", ((id,) for id in running)
    )
    if waiting:
        tell_counts(tx)
    return Stopped([job.id for job in unfinished], running)


def delete(tx: Transaction, ids: Sequence[str]) -> Stopped:
    """Delete jobs; those that run when their worker has stopped them."""
    found = records.jobs_by_id(tx.connection, ids)
    running = [job.id for job in found if job.status == "running"]
    _remove(tx, [job for job in found if job.status != "running"])
    tx.connection.executemany("UPDATE jobs SET stopping = 'delete' WHERE id = ?", ((id,) for id in running))
    if any(job.status == "queued" for job in found):
        tell_counts(tx)
    return Stopped([job.id for job in found], running)


def clear(tx: Transaction, what: Literal["queued", "finished"]) -> list[str]:
    """Delete everything that waits, or everything that is finished."""
    wanted = sorted(FINISHED) if what == "finished" else ["queued"]
    found = records.jobs(tx.connection, f"WHERE status IN ({records.marks(wanted)}) ORDER BY n", wanted)
    _remove(tx, found)
    if found and what == "queued":
        tell_counts(tx)
    return [job.id for job in found]


def page(
    connection: sqlite3.Connection,
    *,
    status: Collection[Status] | None,
    limit: int,
    offset: int,
    newest_first: bool | None,
    query: str,
    client: str | None,
) -> tuple[list[Job], int]:
    """A page of jobs and how many there are of them.

    Args:
        newest_first: None has what is unfinished in the order of the queue and the rest newest first.
        query: text that the id, the name, a setting or the document holds.
    """
    where, values = _filter(query, client)
    found, total = list[Job](), 0
    for wanted, order in _groups(status, newest_first):
        clause, of_status = f"{where} AND status IN ({records.marks(wanted)})", [*values, *wanted]
        count = _count(connection, clause, of_status) if values else _known_count(connection, wanted)
        room, skip = limit - len(found), max(0, offset - total)
        if room > 0 and skip < count:
            rest = f"WHERE {clause} ORDER BY {order} LIMIT ? OFFSET ?"
            found += records.jobs(connection, rest, [*of_status, room, skip])
        total += count
    return found, total


def unfinished_ids(connection: sqlite3.Connection) -> list[str]:
    """The jobs that wait or run."""
    return [id for (id,) in connection.execute("SELECT id FROM jobs WHERE status IN ('queued', 'running')")]


def count(connection: sqlite3.Connection) -> Counts:
    return Counts(_known_count(connection, ["queued"]), _known_count(connection, ["running"]))


def tell_counts(tx: Transaction) -> None:
    """Say how full the queue is now."""
    counts = count(tx.connection)
    tx.tell(QueueChanged(paused=is_paused(tx), queued=counts.queued, running=counts.running))


def is_paused(tx: Transaction) -> bool:
    return bool(tx.connection.execute("SELECT value FROM meta WHERE key = 'paused'").fetchone()[0])


def _groups(status: Collection[Status] | None, newest_first: bool | None) -> list[tuple[Sequence[Status], str]]:
    """The statuses that are listed one after another, and the order of each. One status alone comes out of an index in
    its order, where two would be sorted."""
    wanted = sorted(status if status is not None else UNFINISHED | FINISHED)
    if newest_first is None and set(wanted) <= UNFINISHED:
        return [((each,), "position, n") for each in reversed(wanted)]  # running before queued
    way = "ASC" if newest_first is False else "DESC"
    return [(wanted, f"finished_at {way}, n {way}" if set(wanted) <= FINISHED else f"n {way}")]


def _filter(query: str, client: str | None) -> tuple[str, list[object]]:
    """A condition for the jobs that a search means, and its values."""
    clauses, values = ["1"], list[object]()
    if client is not None:
        clauses.append("client = ?")
        values.append(client)
    if query:
        pattern = "%" + query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        clauses.append(
            "(id LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\' OR settings LIKE ? ESCAPE '\\' OR workflow IN "
            "(SELECT documents.id FROM documents WHERE CAST(body AS TEXT) LIKE ? ESCAPE '\\'))"
        )
        values += [pattern] * 4
    return " AND ".join(clauses), values


def _count(connection: sqlite3.Connection, clause: str, values: Sequence[object]) -> int:
    return int(connection.execute(f"SELECT count(*) FROM jobs WHERE {clause}", values).fetchone()[0])


def _known_count(connection: sqlite3.Connection, status: Sequence[Status]) -> int:
    marks = records.marks(status)
    found = connection.execute(f"SELECT sum(jobs) FROM counts WHERE status IN ({marks})", status).fetchone()[0]
    return int(found or 0)


def _unfinished(tx: Transaction, ids: Sequence[str] | None) -> list[Job]:
    if ids is None:
        return records.jobs(tx.connection, "WHERE status IN ('queued', 'running') ORDER BY status DESC, position, n")
    return [job for job in records.jobs_by_id(tx.connection, ids) if job.status in UNFINISHED]


def _remove(tx: Transaction, jobs: Sequence[Job]) -> None:
    records.remove(tx.connection, [job.id for job in jobs])
    for job in jobs:
        tx.tell(JobRemoved(job=job.id), job.client)


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
