"""Whatever a node does to its worker, the server lives and the queue goes on (promise R7)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.house import House
from tests.jobs.notebook import document, misbehaving, prepare_home, saving


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(prepare_home(tmp_path / "home")) as house:
        house.knows_nodes()
        yield house


def saved(house: House) -> list[str]:
    return sorted(path.read_text() for path in (house.home / "output").iterdir())


def test_a_job_whose_worker_is_killed_goes_on_by_itself(house: House) -> None:
    id = house.submit(saving("hello", seconds=2))
    house.at_node(id, "wait")
    os.kill(house.worker_pids[0], signal.SIGKILL)
    job = house.finished(id)
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert len(house.events(id, "job_finished")) == 1
    assert saved(house) == ["hello"]


def test_a_job_killed_right_after_saving_leaves_one_file(house: House) -> None:
    (house.home / "input" / "die after saving").touch()
    id = house.submit(saving("hello"))
    job = house.finished(id)
    assert (job["status"], job["attempts"]) == ("done", 2)
    assert saved(house) == ["hello"]
    assert not list((house.home / "user" / "saves").iterdir()), "the journal went with the job"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", "exit code 7"),
        pytest.param("segfault", "signal 11", marks=pytest.mark.slow),
        pytest.param("killed", "memory runs out", marks=pytest.mark.slow),
    ],
)
def test_a_job_that_ends_every_worker_fails_with_the_nodes_name(house: House, how: str, said: str) -> None:
    bad, good = house.submit(misbehaving(how)), house.submit(saving("good"))
    check_failed_after_three_attempts(house, bad, said)
    assert house.finished(good)["status"] == "done"
    assert house.call("GET", "/healthz") == {"status": "ok"}
    assert saved(house) == ["good"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["hang", "hold"])
def test_a_job_that_hangs_fails_after_its_time_with_the_nodes_name(tmp_path: Path, how: str) -> None:
    with House(prepare_home(tmp_path / "home"), "--job-timeout", "5") as house:
        house.knows_nodes()
        bad, good = house.submit(misbehaving(how)), house.submit(saving("good"))
        check_failed_after_three_attempts(house, bad, "5 seconds")
        assert house.finished(good)["status"] == "done"


def check_failed_after_three_attempts(house: House, id: str, said: str) -> None:
    job = house.finished(id)
    assert (job["status"], job["attempts"]) == ("failed", 3)
    (problem,) = job["problems"]
    assert problem["node"] == "bad"
    assert "'bad' (Misbehave)" in problem["message"]
    assert said in problem["message"]


def test_jobs_that_ran_beside_one_that_kills_get_through(house: House) -> None:
    good = [house.submit(saving(f"good {client}", seconds=1), client) for client in ("a", "b")]
    house.at_node(good[0], "wait")
    bad = house.submit(misbehaving("exit"), "c")
    assert house.finished(bad)["status"] == "failed"
    assert [house.finished(id)["status"] for id in good] == ["done", "done"]
    assert saved(house) == ["good a", "good b"]


@pytest.mark.parametrize("how", ["raise", "eat"])
def test_a_job_whose_node_raises_fails_at_once(house: House, how: str) -> None:
    job = house.finished(house.submit(misbehaving(how)))
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert [problem["node"] for problem in job["problems"]] == ["bad"]
    assert house.finished(house.submit(document({"show": ("ShowWords", {"text": "next"})})))["status"] == "done"
