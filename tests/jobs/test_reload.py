"""Plugins that end the worker when they are imported, or are edited while the server runs (promise R7)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.house import House, wait_until
from engine.jobs.process import Limits
from tests.jobs.notebook import misbehaving, order, prepare_home, saving, supervised

BAD = "import os\nif not os.path.exists(__file__ + '.mended'):\n    os._exit(7)\n"
SMALL = '''
from engine.node import node


@node(category="test")
def {name}(text: str = "") -> str:
    """A node."""
    return text
'''


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return prepare_home(tmp_path / "home")


@pytest.fixture
def house(home: Path) -> Iterator[House]:
    with House(home) as house:
        yield house


def nodes(house: House) -> set[str]:
    return {node["name"] for node in house.call("GET", "/v1/nodes")["nodes"]}


def plugin(house: House, name: str) -> dict[str, Any]:
    return next(each for each in house.call("GET", "/v1/nodes")["plugins"] if each["name"] == name)


def confirmed(house: House) -> None:
    wait_until(lambda: house.call("GET", "/v1/nodes")["ready"])


def test_a_plugin_that_ends_the_worker_is_named_and_all_else_works(home: Path) -> None:
    (home / "plugins" / "bad.py").write_text(BAD + SMALL.format(name="Mended"))
    with House(home) as house:
        confirmed(house)
        assert {"Words", "KSampler"} <= nodes(house)
        assert "ended the process" in plugin(house, "bad")["problems"][0]
        assert house.finished(house.submit(saving("hello")))["status"] == "done"
        # What it fell over is mended outside of its code: it gets another try when somebody asks for it.
        (home / "plugins" / "bad.py.mended").touch()
        assert house.call("POST", "/v1/nodes/reload") is None
        wait_until(lambda: "Mended" in nodes(house))
        assert plugin(house, "bad")["problems"] == []


def test_plugins_that_came_or_changed_are_read_when_the_nodes_are_reloaded(house: House) -> None:
    confirmed(house)
    running = house.submit(saving("hello", seconds=1))
    house.at_node(running, "wait")
    (house.home / "plugins" / "small.py").write_text(SMALL.format(name="Small"))
    house.call("POST", "/v1/nodes/reload")
    waiting = house.submit(saving("later"))
    wait_until(lambda: "Small" in nodes(house))
    assert [house.finished(id)["attempts"] for id in (running, waiting)] == [1, 1], "running jobs were let end"
    (house.home / "plugins" / "small.py").write_text(SMALL.format(name="Smaller"))
    house.call("POST", "/v1/nodes/reload")
    wait_until(lambda: "Smaller" in nodes(house))
    assert "Small" not in nodes(house)


async def test_a_plugin_that_hangs_while_it_is_imported_is_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_HOME", str(home))
    async with supervised(home) as (_, notebook):  # a first time, so that the other nodes are noted
        assert "Words" in notebook.nodes
    (home / "plugins" / "hangs.py").write_text("import time\ntime.sleep(1000)\n")
    async with supervised(home, limits=Limits(start_s=15.0)) as (supervisor, notebook):
        (hangs,) = [each for each in notebook.plugins if each.name == "hangs"]
        assert "hung" in hangs.problems[0]
        await supervisor.start(order("a", saving()))
        assert (await notebook.end_of("a"))[3] == "done"


async def test_a_known_plugin_that_ends_the_worker_fails_the_job_and_not_all_others(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its nodes are noted, so it is imported when a job first needs one."""
    monkeypatch.setenv("DARKROOM_HOME", str(home))
    bad = home / "plugins" / "manners.py"
    bad.write_text(bad.read_text() + "\nif os.path.exists(__file__ + '.broken'):\n    os._exit(7)\n")
    async with supervised(home) as (_, notebook):
        assert "Misbehave" in notebook.nodes
    async with supervised(home) as (supervisor, notebook):
        Path(f"{bad}.broken").touch()
        await supervisor.start(order("a", misbehaving("raise")))
        assert (await notebook.end_of("a"))[0] == "lost"
        await notebook.ready()
        notebook.lines.clear()
        await supervisor.start(order("a", misbehaving("raise"), attempt=2))
        *_, status, _, problems = await notebook.end_of("a")
        assert status == "failed"
        assert any("ended the process" in problem.message for problem in problems)
        assert os.path.exists(home / "cache" / "importing" / "manners.crashed")
