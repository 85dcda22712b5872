"""The queue killed at any moment: nothing that was answered is lost, nothing happens twice (promise R1)."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import time
from collections import defaultdict
from pathlib import Path

import pytest

from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.jobs import victim

KILLS = 15


def read(notes: Path) -> dict[str, list[str]]:
    found = defaultdict[str, list[str]](list)
    for line in notes.read_text().splitlines() if notes.exists() else ():
        word, _, id = line.partition(" ")
        found[word].append(id)
    return found


@pytest.mark.parametrize("seed", [1])
def test_a_queue_killed_at_random_points_loses_and_repeats_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.jobs.victim"])
    notes = tmp_path / "notes"
    for turn in range(KILLS):
        process = processes.Process(target=victim.run, args=(str(tmp_path), str(notes), turn, 10_000))
        process.start()
        assert process.pid is not None
        give_up = time.monotonic() + 60
        while len(read(notes)["ready"]) <= turn:
            assert process.exitcode is None, "it ended by itself"
            assert time.monotonic() < give_up
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.25))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    process = processes.Process(target=victim.run, args=(str(tmp_path), str(notes), KILLS, 0))
    process.start()
    process.join(120)
    assert process.exitcode == 0, "the jobs that were left were not finished"
    asyncio.run(_check(tmp_path, read(notes)))


async def _check(home: Path, noted: dict[str, list[str]]) -> None:
    service = await JobService.open(Folders.under(home))
    try:
        jobs, total = await service.list(limit=1_000_000)
        by_id = {job.id: job for job in jobs}
        stored, deleted = set(noted["stored"]), set(noted["deleted"])
        assert len(stored) > 10 * KILLS, "it was killed before it did anything"
        assert total == len(by_id), "a job is there twice"
        assert stored - deleted <= set(by_id) | await _gone(service), "a job that was answered is lost"
        assert not deleted & set(by_id), "a job that was deleted is back"
        assert {job.status for job in jobs} == {"done"}
        assert all(job.outputs == {"save": {"text": [job.id]}} for job in jobs)
        assert len(noted["finished"]) == len(set(noted["finished"])), "a job was told to be finished twice"
        endings = [event.job for event in await service._log.read(0, limit=1_000_000) if event.type == "job_finished"]  # pyright: ignore[reportPrivateUsage]
        assert len(endings) == len(set(endings)), "a job finished twice"
        assert set(by_id) <= set(endings)
        told = list(map(int, noted["told"]))
        assert told == sorted(set(told)), "a number was given twice"
    finally:
        await service.close()


async def _gone(service: JobService) -> set[str | None]:
    """Jobs whose deletion was logged, though the note of it was cut off."""
    log = await service._log.read(0, limit=1_000_000)  # pyright: ignore[reportPrivateUsage]
    return {event.job for event in log if event.type == "job_removed"}
