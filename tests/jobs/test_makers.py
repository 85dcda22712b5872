"""The history knows which job and node made a file, whatever else nodes show."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import orjson
import pytest

from engine.jobs.makers import FileRef, Maker, makers
from engine.jobs.schema import MIGRATIONS


def add(connection: sqlite3.Connection, id: str) -> None:
    connection.execute("INSERT OR IGNORE INTO documents VALUES (1, x'00', x'00')")
    connection.execute(
        "INSERT INTO jobs (id, status, position, number, client, source, settings, created_at, previews, workflow) "
        "VALUES (?, 'running', 0, 0, '', 'v1', '{}', 0, 0, 1)",
        (id,),
    )


def finish(connection: sqlite3.Connection, id: str, outputs: object) -> None:
    connection.execute("UPDATE jobs SET outputs = ? WHERE id = ?", (orjson.dumps(outputs).decode(), id))


def image(filename: str, **more: object) -> dict[str, object]:
    return {"filename": filename, "subfolder": "", "type": "output", **more}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in MIGRATIONS:
        connection.executescript(f"BEGIN; {script} COMMIT;")
    add(connection, "one")
    add(connection, "two")
    yield connection
    connection.close()


def test_files_lead_to_their_job_and_node(connection: sqlite3.Connection) -> None:
    finish(connection, "one", {"save": {"images": [image("a.png"), image("b.png", subfolder="set")]}})
    finish(connection, "two", {"look": {"images": [image("a.png", type="temp")]}, "text": {"files": [image("c.txt")]}})
    wanted = {
        FileRef("output", "", "a.png"): Maker("one", "save"),
        FileRef("output", "set", "b.png"): Maker("one", "save"),
        FileRef("temp", "", "a.png"): Maker("two", "look"),
        FileRef("output", "", "c.txt"): Maker("two", "text"),
    }
    assert makers(connection, [*wanted, FileRef("output", "", "other.png")]) == wanted


def test_the_job_that_showed_a_file_last_counts_and_a_deleted_one_does_not(connection: sqlite3.Connection) -> None:
    file = FileRef("output", "", "a.png")
    finish(connection, "one", {"save": {"images": [image("a.png")]}})
    finish(connection, "two", {"again": {"images": [image("a.png")]}})
    assert makers(connection, [file]) == {file: Maker("two", "again")}
    connection.execute("DELETE FROM jobs WHERE id = 'two'")
    assert makers(connection, [file]) == {}


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"n": {}},
        {"n": None, "m": 3, "k": "text", "l": ["x"]},
        {"n": {"text": ["not { JSON", '{"filename": "a.png", "type": "output"}', 3, None, True, ["x"], 2.5]}},
        {"n": {"text": "not [ JSON", "count": 2, "nothing": None, "object": {"filename": "a.png", "type": "output"}}},
        {"n": {"images": [{}, {"filename": 3, "type": "output"}, {"filename": "a.png"}, {"type": "output"}]}},
        {"n": {"images": [{"filename": "a.png", "type": None}, {"filename": None, "type": "output"}]}},
        {"": {"images": [[{"filename": "a.png", "type": "output"}]]}},
        {"ü'\"": {"'; DROP TABLE made; --": [{"x": "\u0000"}]}},
    ],
)
def test_whatever_nodes_show_a_job_can_finish(connection: sqlite3.Connection, outputs: object) -> None:
    finish(connection, "one", outputs)
    assert connection.execute("SELECT count(*) FROM made").fetchone() == (0,)


def test_a_history_from_before_is_read_when_it_is_lifted() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(MIGRATIONS[0])
    add(connection, "old")
    finish(connection, "old", {"save": {"images": [image("a.png")], "text": ["no { JSON"]}})
    connection.executescript(MIGRATIONS[1])
    file = FileRef("output", "", "a.png")
    assert makers(connection, [file]) == {file: Maker("old", "save")}
    connection.close()
