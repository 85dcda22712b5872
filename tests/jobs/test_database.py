"""The database file: nobody waits for it on the loop, damage is told, and nothing is half done."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import FileProblem
from engine.jobs import history
from engine.jobs.database import Database
from engine.jobs.model import Counts
from engine.jobs.schema import MIGRATIONS

Change = Callable[[sqlite3.Connection], None]


def keys(connection: sqlite3.Connection) -> set[str]:
    return {key for (key,) in connection.execute("SELECT key FROM meta")} - {"closed", "paused", "counter"}


def put(key: str) -> Change:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO meta VALUES (?, 1)", (key,))

    return work


async def test_a_change_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    def half(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        raise ValueError("no more")

    database = await Database.open(tmp_path / "a.sqlite")
    results = await asyncio.gather(
        database.write(put("a")),
        database.write(half),
        database.write(put("a")),
        database.write(put("b")),
        return_exceptions=True,
    )
    assert [type(each) for each in results] == [type(None), ValueError, sqlite3.IntegrityError, type(None)]
    assert await database.read(keys) == {"a", "b"}
    await database.close()


async def test_changes_are_told_in_their_order_and_after_they_are_readable(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.sqlite")
    told: list[int] = []
    await asyncio.gather(*(database.write(lambda _, index=index: index, told.append) for index in range(500)))
    assert told == list(range(500))
    for index in range(50):
        await database.write(put(str(index)))
        assert str(index) in await database.read(keys)
    await database.close()


async def test_a_change_stands_although_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.sqlite")
    told: list[None] = []
    waiting = asyncio.create_task(database.write(put("a"), told.append))
    await asyncio.sleep(0)
    waiting.cancel()
    await database.write(put("b"))
    assert await database.read(keys) == {"a", "b"}
    assert told == [None]
    await database.close()


async def test_what_waits_is_written_at_the_close_and_nothing_after(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.sqlite")
    waiting = [database.send(put(str(index))) for index in range(200)]
    await database.close()
    assert all(each.done() and each.exception() is None for each in waiting)
    with pytest.raises(FileProblem, match="stopping"):
        await database.write(put("late"))
    await database.close()
    database = await Database.open(tmp_path / "a.sqlite")
    assert len(await database.read(keys)) == 200
    await database.close()


async def test_an_older_database_is_lifted_with_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
        connection.execute("INSERT INTO documents VALUES (1, x'00', x'7b7d')")
        for index, status in enumerate(["queued", "queued", "done"]):
            connection.execute(
                "INSERT INTO jobs (id, status, position, number, client, source, settings, created_at, previews, "
                "workflow) VALUES (?, ?, 1, 1, '', 'v1', '{}', 0, 1, 1)",
                (str(index), status),
            )
    connection.close()
    database = await Database.open(path)
    assert await database.read(history.count) == Counts(2, 0)
    await database.write(lambda connection: connection.execute("UPDATE jobs SET status = 'running' WHERE id = '0'"))
    assert await database.read(history.count) == Counts(1, 1)
    await database.write(lambda connection: connection.execute("DELETE FROM jobs"))
    assert await database.read(history.count) == Counts(0, 0)
    await database.close()


async def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    await (await Database.open(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(FileProblem, match="newer Darkroom"):
        await Database.open(path)
    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"something the user put here" * 1_000)
    with pytest.raises(FileProblem, match=r"a\.sqlite is damaged .* move it away"):
        await Database.open(path)
    assert path.read_bytes() == b"something the user put here" * 1_000


async def test_damage_is_found_after_an_end_that_was_no_orderly_one(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    database = await Database.open(path)
    for index in range(40):
        await database.write(put(f"{index}" * 500))
    await database.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = 0 WHERE key = 'closed'")
    connection.close()
    data = bytearray(path.read_bytes())
    for start in range(4096 + 4, len(data), 4096):  # past the first page, which the version is read from
        data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(FileProblem, match="damaged"):
        await Database.open(path)
    assert path.read_bytes() == data


async def test_a_full_disk_refuses_a_change_and_takes_the_next(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "a.sqlite")

    def limit(connection: sqlite3.Connection, pages: int) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")  # what SQLite itself then answers is SQLITE_FULL

    await database.write(lambda connection: limit(connection, 1))
    with pytest.raises(FileProblem, match=r"full.*check that the disk has room"):
        await database.write(put("x" * 100_000))
    assert await database.read(keys) == set()
    await database.write(put("small"))
    await database.write(lambda connection: limit(connection, 100_000))
    await database.write(put("x" * 100_000))
    assert await database.read(keys) == {"small", "x" * 100_000}
    await database.close()


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileProblem, match="cannot make the folder"):
        await Database.open(tmp_path / "file" / "user" / "a.sqlite")
