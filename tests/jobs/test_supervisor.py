"""Workers as the server knows them: real processes, and what is reported of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.errors import WorkflowError
from engine.jobs.errors import NoWorker
from engine.jobs.process import Limits
from tests.jobs.notebook import document, misbehaving, order, prepare_home, saving, supervised

QUICK = Limits(heartbeat_s=3.0, cancel_s=1.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = prepare_home(tmp_path / "home")
    monkeypatch.setenv("DARKROOM_HOME", str(home))
    return home


async def test_a_job_is_told_from_its_first_node_to_its_end(home: Path) -> None:
    async with supervised(home) as (supervisor, notebook):
        assert {"KSampler", "SaveWords"} <= set(notebook.nodes)
        assert [each.name for each in notebook.plugins] == ["nodes", "manners"]
        assert list(supervisor.free_places()) == ["cpu"] * 8
        await supervisor.start(order("a", saving("red apple")))
        done = await notebook.end_of("a")
    file = {"filename": "words_00001_.txt", "subfolder": "", "type": "output"}
    assert done == ("done", "a", 1, "done", {"save": {"files": [file]}}, ())
    assert (home / "output" / "words_00001_.txt").read_text() == "red apple"
    (started,) = notebook.events("a", "run_started")
    assert (set(started["nodes"]), started["cached"]) == ({"words", "wait", "save"}, [])
    finished = notebook.events("a", "node_finished")
    assert [each["node"] for each in finished] == ["words", "wait", "save"]
    assert all(each["key"] for each in finished)
    assert finished[-1]["ui"] == {"files": [file]}
    assert notebook.events("a", "node_progress")[-1]["step"] == 20
    assert [line[2] for line in notebook.of("worker")] == ["starting", "ready", "busy", "ready"]


async def test_previews_come_with_their_bytes(home: Path) -> None:
    async with supervised(home) as (supervisor, notebook):
        show = document({"words": ("Words", {}), "show": ("ShowWords", {"text": {"from": "words.0"}})})
        await supervisor.start(order("a", show))
        await notebook.end_of("a")
    assert notebook.of("preview") == [("preview", "a", 1, "show", "text/plain", b"hello")]


async def test_jobs_run_together_and_a_cancelled_one_ends_alone(home: Path) -> None:
    async with supervised(home, parallel=3) as (supervisor, notebook):
        await supervisor.start(order("a", saving("a", seconds=30)))
        await supervisor.start(order("b", saving("b", seconds=0.5)))
        assert list(supervisor.free_places()) == ["cpu"]
        assert (await notebook.end_of("b"))[3] == "done"
        supervisor.cancel("a")
        assert (await notebook.end_of("a"))[3:] == ("cancelled", {}, ())
        assert len(supervisor.free_places()) == 3


async def test_a_refused_workflow_fails_with_every_problem(home: Path) -> None:
    async with supervised(home) as (supervisor, notebook):
        await supervisor.start(order("a", document({"a": ("NoSuchNode", {}), "b": ("SaveWords", {})})))
        *_, status, _, problems = await notebook.end_of("a")
        assert status == "failed"
        assert {problem.node for problem in problems} == {"a", "b"}
        with pytest.raises(WorkflowError):
            await supervisor.plan(document({"a": ("NoSuchNode", {})}), None)


async def test_plan_free_and_stats_are_answered(home: Path) -> None:
    async with supervised(home) as (supervisor, notebook):
        workflow = saving("red apple")
        plan = await supervisor.plan(workflow, None)
        assert set(plan.runs) == {"words", "wait", "save"}
        await supervisor.start(order("a", workflow))
        await notebook.end_of("a")
        assert (await supervisor.plan(workflow, None)).runs == ()
        (stats,) = await supervisor.stats()
        assert stats["device"] == "cpu"
        assert isinstance(stats["cache_bytes"], int)
        assert stats["cache_bytes"] > 0
        await supervisor.free(unload_models=True, free_memory=True)
        (stats,) = await supervisor.stats()
        assert stats["cache_bytes"] == 0


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("exit", "ended by itself with exit code 7"),
        ("segfault", "crashed with signal 11"),
        ("killed", "memory runs out"),
        ("hold", "did not answer for 3 seconds"),
    ],
)
async def test_a_worker_that_a_node_ends_is_replaced_and_the_node_named(home: Path, how: str, said: str) -> None:
    async with supervised(home, limits=QUICK) as (supervisor, notebook):
        await supervisor.start(order("a", misbehaving(how)))
        kind, _, attempt, reason = await notebook.end_of("a")
        assert (kind, attempt, reason.code, reason.node) == ("lost", 1, "worker_died", "bad")
        assert said in reason.message
        assert "'bad' (Misbehave)" in reason.message
        await notebook.ready()
        await supervisor.start(order("b", saving()))
        assert (await notebook.end_of("b"))[3] == "done"


@pytest.mark.parametrize("how", ["raise", "sys.exit", "eat"])
async def test_what_a_node_raises_ends_only_its_job(home: Path, how: str) -> None:
    async with supervised(home) as (supervisor, notebook):
        await supervisor.start(order("a", misbehaving(how)))
        *_, status, _, problems = await notebook.end_of("a")
        assert status == "failed"
        assert [problem.node for problem in problems] == ["bad"]
        assert notebook.events("a", "node_errored")[0]["node"] == "bad"
        await supervisor.start(order("b", saving()))
        assert (await notebook.end_of("b"))[3] == "done"
        assert ("worker", "cpu", "gone") not in notebook.lines


async def test_a_job_beyond_its_time_is_stopped_and_others_go_on(home: Path) -> None:
    async with supervised(home, limits=Limits(job_s=2.0)) as (supervisor, notebook):
        await supervisor.start(order("slow", saving("slow", seconds=60)))
        await supervisor.start(order("quick", saving("quick", seconds=1)))
        assert (await notebook.end_of("quick"))[3] == "done"
        kind, *_, reason = await notebook.end_of("slow")
        assert (kind, reason.code, reason.node) == ("lost", "job_timeout", "wait")
        assert "2 seconds" in reason.message
        assert ("worker", "cpu", "gone") not in notebook.lines


async def test_a_node_that_does_not_stop_is_ended_with_its_worker(home: Path) -> None:
    async with supervised(home, limits=QUICK) as (supervisor, notebook):
        await supervisor.start(order("a", misbehaving("hang")))
        await notebook.until(lambda: bool(notebook.events("a", "node_started")))
        supervisor.cancel("a")
        kind, *_, reason = await notebook.end_of("a")
        assert kind == "lost"
        assert "did not stop" in reason.message
        await notebook.ready()


async def test_a_job_whose_worker_ended_gets_the_next_one_to_itself(home: Path) -> None:
    async with supervised(home) as (supervisor, notebook):
        await supervisor.start(order("good", saving("good", seconds=60)))
        await notebook.until(lambda: bool(notebook.events("good", "node_started")))
        await supervisor.start(order("bad", misbehaving("exit")))
        assert {(await notebook.end_of(job))[0] for job in ("good", "bad")} == {"lost"}
        await notebook.ready()
        notebook.lines.clear()
        await supervisor.start(order("other", saving("other", seconds=1)))
        await supervisor.start(order("good", saving("good"), attempt=2))
        assert not supervisor.free_places()
        assert (await notebook.end_of("good"))[3] == "done"
        ends = [line[1] for line in notebook.lines if line[0] == "done"]
        assert ends == ["other", "good"], "it waited until it was alone"
        assert len(supervisor.free_places()) == 8


async def test_a_worker_that_cannot_start_says_why(home: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise ModuleNotFoundError('No module named torch')")
    async with supervised(home, command=command) as (supervisor, notebook):
        await notebook.until(lambda: len(notebook.of("worker")) >= 4)
        assert not supervisor.free_places()
        with pytest.raises(NoWorker, match=r"(?s)exit code 1.*No module named torch"):
            await supervisor.plan(saving(), None)
    assert "No module named torch" in (home / "user" / "logs" / "worker.log").read_text()


async def test_closing_ends_the_worker_and_reports_nothing(home: Path) -> None:
    async with supervised(home) as (supervisor, notebook):
        await supervisor.start(order("a", misbehaving("hang")))
        await notebook.until(lambda: bool(notebook.events("a", "node_started")))
        (stats,) = await supervisor.stats()
    assert not (notebook.of("done") or notebook.of("lost"))
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(stats["pid"])), 0)


async def test_who_does_not_know_the_token_is_not_let_in(home: Path) -> None:
    import asyncio

    from engine.jobs.protocol import Hello, to_frame

    async with supervised(home) as (supervisor, notebook):
        (socket,) = supervisor._server.sockets  # pyright: ignore
        for data in (to_frame(Hello(token="guess", device="cpu")), b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\2{}\0\0\0\0"):
            reader, writer = await asyncio.open_connection(*socket.getsockname()[:2])
            writer.write(data)
            assert await reader.read() == b""
            writer.close()
        await supervisor.start(order("a", saving()))
        assert (await notebook.end_of("a"))[3] == "done"
