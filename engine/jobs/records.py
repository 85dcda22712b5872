"""Jobs as rows: written, read, and their documents kept once each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import orjson
from pydantic import JsonValue

from engine.jobs.model import Job, JobDetail, NodeState, Source
from engine.jobs.settings import with_settings

_COLUMNS = (
    "id, status, position, number, client, name, source, sweep, settings, created_at, started_at, finished_at, "
    "seconds, attempts, device, outputs, nodes_total, nodes_cached, problems"
)
_DETAILS = "requested, node_states, previews, w.body, p.body, e.body"
_DOCUMENTS = (
    "LEFT JOIN documents w ON w.id = workflow LEFT JOIN documents p ON p.id = prompt LEFT JOIN documents e "
    "ON e.id = extra"
)
_JSON = {"settings", "outputs", "problems"}
_NAMES = _COLUMNS.split(", ")
_MOST_VALUES = 500
"""Ids in one question; SQLite takes some thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJobs:
    """What is to be stored for one submission: jobs that differ by their settings only."""

    workflow: bytes
    """The document, as JSON text, without the settings."""
    settings: Sequence[Mapping[str, JsonValue]]
    """One for each job."""
    ids: Sequence[str]
    sweep: str | None
    requested: Sequence[str] | None
    client: str | None
    name: str | None
    source: Source
    prompt: bytes | None
    extra: bytes | None
    previews: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A job with its documents as they lie in the database."""

    job: Job
    document: JsonValue
    """Without the settings."""
    prompt: JsonValue
    extra: JsonValue
    requested: tuple[str, ...] | None
    node_states: Mapping[str, NodeState]
    previews: bool

    def workflow(self) -> JsonValue:
        """The document that runs."""
        return with_settings(self.document, self.job.settings)

    def detail(self) -> JobDetail:
        return JobDetail(
            **dict(self.job),
            workflow=self.workflow(),
            prompt=self.prompt,
            requested=self.requested,
            extra=self.extra,
            node_states=dict(self.node_states),
        )


def insert(connection: sqlite3.Connection, new: NewJobs, positions: Sequence[float], at: float) -> list[Job]:
    """Store jobs as queued.

    Args:
        positions: one for each job.
    """
    documents = [_keep_document(connection, each) for each in (new.workflow, new.prompt, new.extra)]
    workflow, prompt, extra = documents
    same = {
        "client": new.client or "",
        "name": new.name,
        "source": new.source,
        "sweep": new.sweep,
        "at": at,
        "requested": None if new.requested is None else _text(list(new.requested)),
        "previews": new.previews,
        "workflow": workflow,
        "prompt": prompt,
        "extra": extra,
    }
    connection.executemany(
        "INSERT INTO jobs (id, status, position, number, client, name, source, sweep, settings, created_at, requested, "
        "previews, workflow, prompt, extra) VALUES (:id, 'queued', :position, :position, :client, :name, :source, "
        ":sweep, :settings, :at, :requested, :previews, :workflow, :prompt, :extra)",
        (
            {**same, "id": id, "position": position, "settings": _text(dict(settings))}
            for id, position, settings in zip(new.ids, positions, new.settings, strict=True)
        ),
    )
    return [
        Job(
            id=id,
            status="queued",
            position=position,
            number=position,
            client=new.client or None,
            name=new.name,
            source=new.source,
            sweep=new.sweep,
            settings=dict(settings),
            created_at=at,
        )
        for id, position, settings in zip(new.ids, positions, new.settings, strict=True)
    ]


def copy(connection: sqlite3.Connection, id: str, new_id: str, position: float, at: float) -> Job:
    """Store a job like another, as queued."""
    connection.execute(
        "INSERT INTO jobs (id, status, position, number, client, name, source, settings, created_at, requested, "
        "previews, workflow, prompt, extra) SELECT :new, 'queued', :position, :position, client, name, source, "
        "settings, :at, requested, previews, workflow, prompt, extra FROM jobs WHERE id = :id",
        {"id": id, "new": new_id, "position": position, "at": at},
    )
    copied = job(connection, new_id)
    assert copied is not None, "it was stored a moment ago"
    return copied


def job(connection: sqlite3.Connection, id: str) -> Job | None:
    return next(iter(jobs(connection, "WHERE jobs.id = ?", (id,))), None)


def jobs(connection: sqlite3.Connection, rest: str, values: Sequence[object] = ()) -> list[Job]:
    """The jobs of a question that goes on after `SELECT ... FROM jobs`."""
    return [_job(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM jobs {rest}", values)]


def jobs_by_id(connection: sqlite3.Connection, ids: Iterable[str]) -> list[Job]:
    """Jobs in the order of `ids`, without those that are gone."""
    wanted = list(dict.fromkeys(ids))
    found = {
        each.id: each for some in in_portions(wanted) for each in jobs(connection, f"WHERE id IN ({marks(some)})", some)
    }
    return [found[id] for id in wanted if id in found]


def stored(connection: sqlite3.Connection, id: str) -> Stored | None:
    columns = ", ".join(f"jobs.{name}" for name in _NAMES)
    row = connection.execute(f"SELECT {columns}, {_DETAILS} FROM jobs {_DOCUMENTS} WHERE jobs.id = ?", (id,)).fetchone()
    if row is None:
        return None
    requested, states, previews, workflow, prompt, extra = row[len(_NAMES) :]
    return Stored(
        _job(row[: len(_NAMES)]),
        orjson.loads(workflow),
        None if prompt is None else orjson.loads(prompt),
        None if extra is None else orjson.loads(extra),
        None if requested is None else tuple(orjson.loads(requested)),
        {id: NodeState(**state) for id, state in orjson.loads(states).items()},
        bool(previews),
    )


def remove(connection: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Delete jobs, their events, and the documents that no other job has."""
    for some in in_portions(ids):
        rows = connection.execute(f"SELECT workflow, prompt, extra FROM jobs WHERE id IN ({marks(some)})", some)
        documents = {document for row in rows for document in row if document is not None}
        connection.execute(f"DELETE FROM jobs WHERE id IN ({marks(some)})", some)
        connection.execute(f"DELETE FROM events WHERE job IN ({marks(some)})", some)
        connection.executemany(
            "DELETE FROM documents WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE workflow = ?1) AND NOT "
            "EXISTS (SELECT 1 FROM jobs WHERE prompt = ?1) AND NOT EXISTS (SELECT 1 FROM jobs WHERE extra = ?1)",
            ((document,) for document in documents),
        )


def in_portions(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _MOST_VALUES] for start in range(0, len(ids), _MOST_VALUES))


def marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _job(row: Sequence[Any]) -> Job:
    fields = {name: orjson.loads(value) if name in _JSON else value for name, value in zip(_NAMES, row, strict=True)}
    fields["client"] = fields["client"] or None
    return Job(**fields)


def _keep_document(connection: sqlite3.Connection, body: bytes | None) -> int | None:
    if body is None:
        return None
    digest = blake2b(body, digest_size=20).digest()
    row = connection.execute("SELECT id FROM documents WHERE digest = ?", (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    cursor = connection.execute("INSERT INTO documents (digest, body) VALUES (?, ?)", (digest, body))
    return cast(int, cursor.lastrowid)


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()
