"""The parts put together: what a command imports, and the engine from Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.node.folders import Folders
from engine.run.events import Event, NodeFinished
from server import open_darkroom
from tests.cli.conftest import NODES, WORKFLOW, home

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("torch", "transformers", "networkx", "numpy", "safetensors", "PIL", "rich", "aiohttp")

__all__ = ["home"]


def imported_by(home: Path, *arguments: str) -> set[str]:
    """Run the program in a fresh process; tells which heavy modules it had at its end."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
sys.argv = ["darkroom", *{list(arguments)!r}]
import server
try:
    server.main()
except SystemExit as end:
    assert not end.code, end.code
print("IMPORTED", *(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=home, capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "arguments", [("--help",), ("run", "--help"), ("validate", "workflow.json"), ("nodes",), ("cache", "info")]
)
def test_looking_imports_nothing_heavy(home: Path, arguments: tuple[str, ...]) -> None:
    imported_by(home, "nodes")  # notes the schemas
    assert imported_by(home, *arguments) == set()


def test_a_run_whose_results_are_known_imports_nothing_heavy(home: Path) -> None:
    imported_by(home, "run", "workflow.json")
    assert imported_by(home, "run", "workflow.json") == set()


def test_the_engine_is_used_from_python_in_a_few_lines(home: Path) -> None:
    events: list[Event] = []
    with open_darkroom(Folders.under(home)) as darkroom:
        result = darkroom.run(home / "workflow.json", {"words.text": "from Python"}, listener=events.append)
        result.raise_errors()
        path = home / "output" / result.ui["save"]["files"][0]["path"]  # type: ignore[index,call-overload]
    assert path.read_text() == "from Python"
    assert [event.node for event in events if isinstance(event, NodeFinished)] == ["words", "save"]


def test_two_engines_live_in_one_process(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for each, word in zip(homes, ("first", "second"), strict=True):
        (each / "plugins").mkdir(parents=True)
        code = NODES.replace("\n    ", "\n").replace('"hello"', f'"{word}"')
        (each / "plugins" / "words.py").write_text(code)
    workflow = {**WORKFLOW, "nodes": {**WORKFLOW["nodes"], "words": {"type": "Words"}}}  # type: ignore[dict-item]
    (tmp_path / "workflow.json").write_text(json.dumps(workflow))
    with open_darkroom(Folders.under(homes[0])) as one, open_darkroom(Folders.under(homes[1])) as two:
        for darkroom in (one, two, one):
            assert darkroom.run(tmp_path / "workflow.json").status == "done"
    written = [(each / "output" / "words_00001_.txt").read_text() for each in homes]
    assert written == ["first", "second"]


def test_the_program_runs_as_a_script(home: Path) -> None:
    command = [sys.executable, str(ROOT / "server.py"), "run", "workflow.json"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "output/words_00001_.txt\n", "")
