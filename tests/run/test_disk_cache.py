"""The disk tier: it outlives the process, never gives a wrong result, and keeps within its bytes."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.codec import ValueCodec
from engine.run.disk_budget import ABANDONED_AFTER_S
from engine.run.disk_cache import DiskCache, is_json
from engine.run.outcome import FileStamp, Outcome, Record

CODEC = ValueCodec(dict[type, bool])


def outcome(*values: object, seconds: float = 1.0) -> Outcome:
    stamp = FileStamp("output", "a.png", 3, 4, "d")
    return Outcome(Record("Make", seconds, {"shown": [1]}, (stamp,), ("1x2",)), (list(values),))


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path, 10**7, CODEC)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "value",
    [0, -1, 2**64 - 1, 1.5, float("inf"), True, None, "", "é\ud800", [1, [2]], {"a": {"b": []}}, (1, (2, "x")), ()],
)
def test_plain_values_come_back_as_they_were(disk: DiskCache, value: object) -> None:
    assert disk.store("ab" * 20, outcome(value))
    loaded = disk.load("ab" * 20)
    assert loaded == outcome(value)
    assert loaded is not None and type(loaded.outputs[0][0]) is type(value)


def test_a_result_is_kept_whole_or_not_at_all(disk: DiskCache) -> None:
    assert not disk.store("ab" * 20, outcome(1, object()))
    assert disk.find("ab" * 20) is None


def test_only_values_that_json_gives_back_are_json() -> None:
    class Text(str):
        pass

    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    assert is_json({"a": [1, "b", None]})
    assert not any(map(is_json, [(1,), {1: 2}, Text("x"), {"a": {Text("b"): 1}}, object(), deep, b"x"]))


def damages(generator: random.Random) -> dict[str, Callable[[Path], None]]:
    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        path.write_bytes(data)

    def make_folder(path: Path) -> None:
        path.unlink()
        (path / "inside").mkdir(parents=True)

    return {
        "flip a bit": flip,
        "cut": lambda path: os.truncate(path, generator.randrange(path.stat().st_size)),
        "empty": lambda path: os.truncate(path, 0),
        "delete": Path.unlink,
        "make unreadable": make_folder,
        "overwrite": lambda path: path.write_bytes(generator.randbytes(generator.randrange(200))) and None,
        "append": lambda path: path.write_bytes(path.read_bytes() + generator.randbytes(9)) and None,
        "swap": lambda path: shutil.copy(generator.choice(files(path.parents[1])), path) and None,
    }


def test_a_damaged_entry_is_a_miss_and_never_wrong(tmp_path: Path) -> None:
    generator = random.Random(0)
    misses = 0
    for trial in range(300):
        disk = DiskCache(tmp_path / str(trial), 10**7, CODEC)
        keys = [f"{trial:040x}", f"{trial + 1:040x}"]
        results = [
            outcome(trial, ("tuple", str(trial) * 20), seconds=0.01),
            outcome(("other", trial), trial + 1, seconds=0.01),
        ]
        for key, result in zip(keys, results, strict=True):
            disk.store(key, result)
        kind, damage = generator.choice(list(damages(generator).items()))
        victim = generator.choice(files(tmp_path / str(trial)))
        try:
            damage(victim)
        except shutil.SameFileError:
            continue
        for key, result in zip(keys, results, strict=True):
            found = disk.load(key)
            assert found is None or found == result, (trial, kind)
            misses += found is None
            # Whatever happened, the result can be kept again.
            assert disk.store(key, result) and disk.load(key) == result, (trial, kind)
    assert misses > 150


def test_records_outlive_the_object(disk: DiskCache, tmp_path: Path) -> None:
    disk.store("cd" * 20, outcome("kept"))
    again = DiskCache(tmp_path, 10**7, CODEC).find("cd" * 20)
    assert again is not None and again.record == outcome().record


def test_equal_values_are_stored_once(disk: DiskCache, tmp_path: Path) -> None:
    disk.store("ab" * 20, outcome(("same", 1)))
    disk.store("cd" * 20, outcome(("same", 1)))
    assert len(files(tmp_path / "v1" / "contents")) == 1


def test_what_is_cheap_heavy_and_unused_goes_first(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 100_000, CODEC)
    disk.store("aa" * 20, outcome(("light and dear", "x"), seconds=20))
    disk.store("bb" * 20, outcome(("used", "x" * 20_000), seconds=1))
    for _ in range(5):
        disk.load("bb" * 20)
    for index in range(10):
        disk.store(f"{index:040x}", outcome((index, "x" * 20_000), seconds=1))
    assert disk.budget.used_bytes() <= 100_000
    assert disk.find("aa" * 20) is not None
    assert disk.find("bb" * 20) is not None
    kept = [index for index in range(10) if disk.find(f"{index:040x}")]
    assert 0 < len(kept) < 4
    assert all(disk.load(f"{index:040x}") == outcome((index, "x" * 20_000), seconds=1) for index in kept)


def test_what_nobody_used_for_long_goes_before_what_was_just_made(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 100_000, CODEC)
    disk.store("aa" * 20, outcome(("old", "x" * 40_000), seconds=2))
    for path in files(tmp_path):
        os.utime(path, (time.time() - 30 * 86_400,) * 2)
    disk.store("bb" * 20, outcome(("new", "x" * 40_000), seconds=1))
    disk.store("cc" * 20, outcome(("newest", "x" * 40_000), seconds=1))
    assert [disk.find(key * 20) is not None for key in ("aa", "bb", "cc")] == [False, True, True]


def test_blobs_and_temporary_files_that_nobody_names_are_collected(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 1_000, CODEC)
    orphan = tmp_path / "v1" / "contents" / "00" / ("00" * 32)
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"x" * 2_000)
    young, temporary, left = orphan.with_name("01" * 32), orphan.with_name(".1.tmp"), orphan.with_name(".2.tmp")
    for path in (young, temporary, left):
        path.write_bytes(b"x")
    for path in (orphan, left):
        os.utime(path, (time.time() - 2 * ABANDONED_AFTER_S,) * 2)
    disk.store("aa" * 20, outcome(1))
    assert [path.exists() for path in (orphan, left, young, temporary)] == [False, False, True, True]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "v1").write_text("in the way")
    disk = DiskCache(tmp_path, 10**6, CODEC)
    assert not disk.store("aa" * 20, outcome(1))
    assert disk.find("aa" * 20) is None and disk.load("aa" * 20) is None
    assert disk.problem is not None and "cannot be written" in disk.problem


def test_clearing_leaves_nothing(disk: DiskCache, tmp_path: Path) -> None:
    disk.store("aa" * 20, outcome(("a", 1)))
    disk.clear()
    assert files(tmp_path) == [] and disk.find("aa" * 20) is None


def test_processes_share_a_folder_that_is_too_small_for_them(tmp_path: Path) -> None:
    script = """
import random, sys
from pathlib import Path
from tests.run.test_disk_cache import CODEC, outcome
from engine.run.disk_cache import DiskCache
disk = DiskCache(Path(sys.argv[1]), 60_000, CODEC)
generator = random.Random(int(sys.argv[2]))
hits = 0
for _ in range(300):
    number = generator.randrange(40)
    wanted = outcome((number, "x" * 3_000), number, seconds=0.01)
    found = disk.load(f"{number:040x}")
    assert found is None or found == wanted
    hits += found is not None
    if found is None:
        assert disk.store(f"{number:040x}", wanted), disk.problem
print(hits > 0)
"""
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(seed)],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(3)
    ]
    assert [process.communicate() for process in processes] == [("True\n", "")] * 3
    assert list(tmp_path.rglob("*.tmp")) == []
