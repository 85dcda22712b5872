"""kill -9 at any time loses nothing and does nothing twice (promise R1)."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from benchmarks.house import House, wait_until
from benchmarks.kill import torture
from tests.jobs.notebook import prepare_home, saving


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return prepare_home(tmp_path / "home")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("points", "jobs"), [(8, 16), pytest.param(50, 50, marks=pytest.mark.slow)], ids=["8 points", "50 points"]
)
def test_a_server_killed_at_random_points_loses_and_duplicates_nothing(tmp_path: Path, points: int, jobs: int) -> None:
    found = torture(tmp_path, points, jobs, random.Random(points))
    assert (found.jobs, found.kills) == (jobs, points)
    assert (found.lost, found.twice, found.wrong) == (0, 0, 0)


def test_the_running_job_goes_on_by_itself_and_its_old_worker_is_gone(home: Path) -> None:
    house = House(home)
    with house:
        house.knows_nodes()
        first, second = house.submit(saving("first", seconds=4)), house.submit(saving("second"))
        house.at_node(first, "wait")
        (worker,) = house.worker_pids
        house.kill()
    wait_until(lambda: not is_alive(worker), 5)
    with house:
        assert [house.finished(id)["status"] for id in (first, second)] == ["done", "done"]
        assert [house.job(id)["attempts"] for id in (first, second)] == [2, 1]
        assert house.job(first)["started_at"] < house.job(second)["started_at"]
    assert sorted(path.read_text() for path in (home / "output").iterdir()) == ["first", "second"]


def test_a_worker_dies_with_its_server_even_while_a_node_holds_the_lock(home: Path) -> None:
    from tests.jobs.notebook import misbehaving

    with House(home) as house:
        house.knows_nodes()
        id = house.submit(misbehaving("hold"))
        house.at_node(id, "bad")
        (worker,) = house.worker_pids
        house.kill()
    wait_until(lambda: not is_alive(worker), 5)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_asked_to_stop_gives_its_jobs_back(home: Path, which: signal.Signals) -> None:
    house = House(home)
    with house:
        house.knows_nodes()
        id = house.submit(saving("hello", seconds=3))
        house.at_node(id, "wait")
        (worker,) = house.worker_pids
        assert house.stop(which) == 130
        wait_until(lambda: not is_alive(worker), 5)
    with house:
        job = house.finished(id)
    assert (job["status"], job["attempts"]) == ("done", 1)
    assert [path.read_text() for path in (home / "output").iterdir()] == ["hello"]
