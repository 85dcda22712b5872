from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from engine.errors import FileProblem
from engine.graph.files import FileDigests


def a_minute_later() -> int:
    return time.time_ns() + 60 * 10**9


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "digests.sqlite"


@pytest.fixture
def digests(database: Path) -> Iterator[FileDigests]:
    """A memory to which every file is old enough."""
    digests = FileDigests(database, a_minute_later)
    yield digests
    digests.close()


def remembered(database: Path) -> int:
    with sqlite3.connect(database) as memory:
        (count,) = memory.execute("SELECT count(*) FROM digests").fetchone()
    memory.close()
    return count


def plant(database: Path, digest: str) -> None:
    """Put another digest into the memory: whoever answers with it has not read the file."""
    with sqlite3.connect(database) as memory:
        memory.execute("UPDATE digests SET digest = ?", (digest,))
    memory.close()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_the_digest_is_blake3_of_the_content(digests: FileDigests, tmp_path: Path):
    content = random.Random(0).randbytes(9 * 2**20)
    assert digests.digest(write(tmp_path / "a", content)) == blake3(content).hexdigest()
    assert digests.digest(write(tmp_path / "empty", b"")) == blake3(b"").hexdigest()


def test_a_file_that_did_not_change_is_not_read_again(digests: FileDigests, database: Path, tmp_path: Path):
    path = write(tmp_path / "a", b"1")
    digests.digest(path)
    plant(database, "planted")
    assert digests.digest(path) == "planted"
    again = FileDigests(database, a_minute_later)
    assert again.digest(path) == "planted"
    again.close()


def test_a_changed_file_is_read_again_whatever_its_dates_say(digests: FileDigests, tmp_path: Path):
    path = write(tmp_path / "a", b"1")
    before = digests.digest(path)
    status = path.stat()
    time.sleep(0.02)  # a tick of the file system's clock, for ctime
    write(path, b"2")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digests.digest(path) != before
    replaced = write(tmp_path / "b", b"3")
    replaced.replace(path)
    assert digests.digest(path) == blake3(b"3").hexdigest()


def test_a_file_touched_within_two_seconds_is_read_again(database: Path, tmp_path: Path):
    digests = FileDigests(database)
    digests.digest(write(tmp_path / "a", b"1"))
    assert remembered(database) == 0
    digests.close()


def test_a_file_remembered_and_then_dated_into_the_future_is_read_again(database: Path, tmp_path: Path):
    path = write(tmp_path / "a", b"1")
    far = time.time_ns() + 3600 * 10**9
    os.utime(path, ns=(far, far))
    digests = FileDigests(database, a_minute_later)
    digests.digest(path)
    assert remembered(database) == 0
    digests.close()


def test_a_link_and_its_file_are_one(digests: FileDigests, database: Path, tmp_path: Path):
    path = write(tmp_path / "a", b"1")
    (tmp_path / "link").symlink_to(path)
    assert digests.digest(tmp_path / "link") == digests.digest(path)
    assert remembered(database) == 1


def test_what_is_no_readable_file_is_an_error_that_names_it(digests: FileDigests, tmp_path: Path):
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", ".", "loop", "pipe", "nul\0"):
        with pytest.raises(FileProblem, match="Check the name"):
            digests.digest(tmp_path / name)


def test_without_a_memory_files_are_read_every_time(tmp_path: Path):
    path = write(tmp_path / "a", b"1")
    (tmp_path / "file").touch()
    for digests in (FileDigests(None), FileDigests(tmp_path / "file" / "digests.sqlite"), FileDigests(tmp_path)):
        assert digests.digest(path) == blake3(b"1").hexdigest()
        digests.close()


@pytest.mark.parametrize("damage", [b"", b"junk" * 1000, None])
def test_a_damaged_memory_is_made_anew(database: Path, tmp_path: Path, damage: bytes | None):
    path = write(tmp_path / "a", b"1")
    for content in (b"1", b"2"):
        digests = FileDigests(database, a_minute_later)
        assert digests.digest(write(path, content)) == blake3(content).hexdigest()
        digests.close()
        assert remembered(database) == 1
        database.write_bytes(database.read_bytes()[:3000] if damage is None else damage)


def test_a_memory_of_other_columns_is_made_anew(database: Path, tmp_path: Path):
    database.parent.mkdir()
    with sqlite3.connect(database) as memory:
        memory.execute("CREATE TABLE digests (path, sha1)")
    memory.close()
    digests = FileDigests(database, a_minute_later)
    digests.digest(write(tmp_path / "a", b"1"))
    digests.close()
    assert remembered(database) == 1


def test_random_damage_while_in_use_is_survived(database: Path, tmp_path: Path):
    draw = random.Random(1)
    paths = [write(tmp_path / f"file{index}", b"%d" % index) for index in range(40)]
    for _ in range(60):
        digests = FileDigests(database, a_minute_later)
        for path in draw.sample(paths, 10):
            digests.digest(path)
        data = bytearray(database.read_bytes())
        for _ in range(draw.randrange(1, 30)):
            data[draw.randrange(len(data))] = 0
        database.write_bytes(data[: draw.randrange(len(data))] if draw.random() < 0.3 else data)
        for path in draw.sample(paths, 10):
            assert len(digests.digest(path)) > 0
        digests.close()


def test_threads_share_one_memory(digests: FileDigests, database: Path, tmp_path: Path):
    paths = [write(tmp_path / f"file{index}", b"%d" % index) for index in range(20)]
    found: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: found.append([digests.digest(path) for path in paths])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[blake3(b"%d" % index).hexdigest() for index in range(20)]] * 4
    assert remembered(database) == 20


def test_processes_share_one_memory(database: Path, tmp_path: Path):
    script = """
import sys, time
from pathlib import Path
from engine.graph.files import FileDigests
digests = FileDigests(Path(sys.argv[1]), lambda: time.time_ns() + 60 * 10**9)
for index in range(50):
    path = Path(sys.argv[2]) / f"file{index}"
    digests.digest(path)
"""
    for index in range(50):
        write(tmp_path / f"file{index}", b"%d" % index)
    command = [sys.executable, "-c", script, str(database), str(tmp_path)]
    running = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert remembered(database) == 50
