"""A job that makes way: it stops for others, stands behind them, and goes on where it was."""

from __future__ import annotations

from pathlib import Path

from benchmarks.house import House, wait_until
from tests.jobs.notebook import document, prepare_home, saving
from tests.jobs.shop import shop, wish

PRACTICE = document({"practise": ("Practise", {"steps": 40, "seconds": 4.0})})


async def test_running_jobs_hear_whether_others_wait(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        (long,) = await service.submit(wish(client="a"))
        await stage.started(long)
        assert not stage.told_of_others
        (waiting,) = await service.submit(wish(client="a"))
        await stage.told(True)
        await service.pause()
        await stage.told(False)
        await service.resume()
        await stage.told(True)
        await service.cancel([waiting.id])
        await stage.told(False)


async def test_a_job_that_made_way_runs_after_those_it_made_way_for(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        (long,) = await service.submit(wish(client="a"))
        await stage.started(long)
        others = [(await service.submit(wish(client=client)))[0] for client in ("a", "a")]
        await stage.told(True)
        stage.make_way(long)
        await stage.started(others[0])
        job = await service.get(long.id)
        assert job is not None
        assert (job.status, job.attempts, job.started_at) == ("queued", 0, None), "it was not tried in vain"
        await stage.told(True)  # of the one that still waits; not of the one that made way
        stage.finish(others[0])
        await stage.started(others[1])
        await stage.told(False)
        stage.finish(others[1])
        assert (await stage.started(long, attempt=1)).job == long.id
        stage.finish(long)
        assert (await service.wait(long.id)).status == "done"


async def test_a_job_that_made_way_lets_later_ones_pass_and_starts_beside_nobody(tmp_path: Path) -> None:
    async with shop(tmp_path, places=2) as (service, stage):
        (long,) = await service.submit(wish(client="a"))
        await stage.started(long)
        (short,) = await service.submit(wish(client="b"))
        await stage.started(short)
        stage.make_way(long)
        (later,) = await service.submit(wish(client="a"))
        await stage.started(later)
        assert set(stage.standing) == {short.id, later.id}
        stage.finish(later)
        await service.wait(later.id)
        assert set(stage.standing) == {short.id}
        stage.finish(short)
        await stage.started(long)


async def test_a_job_that_was_cancelled_as_it_made_way_is_cancelled(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        (long,) = await service.submit(wish())
        await stage.started(long)
        await service.cancel([long.id])
        stage.make_way(long)
        assert (await service.wait(long.id)).status == "cancelled"


async def test_it_is_still_patient_after_the_server_was_restarted(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        (long,) = await service.submit(wish(client="a"))
        await stage.started(long)
        (other,) = await service.submit(wish(client="a"))
        stage.make_way(long)
        await stage.started(other)
    async with shop(tmp_path) as (service, stage):
        await stage.started(other)
        await stage.told(False)
        stage.finish(other)
        await stage.started(long)


def test_a_real_job_stops_for_another_and_goes_on_where_it_was(tmp_path: Path) -> None:
    with House(prepare_home(tmp_path / "home")) as house:
        house.knows_nodes()
        notes = house.home / "output" / "practice.txt"
        long = house.submit(PRACTICE, "me")
        wait_until(lambda: notes.exists() and len(notes.read_text()) > 2)
        short = house.submit(saving("hello"), "me")
        assert house.finished(short)["status"] == "done"
        assert len(notes.read_text()) < 40, "the short job ran in the middle of the long one"
        job = house.finished(long)
        assert (job["status"], job["attempts"]) == ("done", 1)
        assert len(house.events(long, "job_started")) == 2
        assert notes.read_text() == "x" * 40, "no step was taken twice"


def test_a_real_job_stops_for_one_that_waits_beside_it(tmp_path: Path) -> None:
    """Another client's job is with the worker at once, and may wait there for the device."""
    with House(prepare_home(tmp_path / "home")) as house:
        house.knows_nodes()
        notes = house.home / "output" / "practice.txt"
        long = house.submit(PRACTICE, "me")
        wait_until(lambda: notes.exists() and len(notes.read_text()) > 2)
        short = house.submit(saving("hello", seconds=1), "you")
        assert house.finished(short)["status"] == "done"
        assert house.finished(long)["status"] == "done"
        ended = house.events(short, "job_finished")[0]["seq"]
        first, again = (event["seq"] for event in house.events(long, "job_started"))
        assert first < ended < again
