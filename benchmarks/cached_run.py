"""A workflow whose results are all known, run by the command line in a process of its own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.row import Row, at_most, shown
from engine.graph.document import dumps
from engine.graph.workflow import Link, Workflow, WorkflowNode

SERVER = Path(__file__).resolve().parents[1] / "server.py"
WORKFLOW = Workflow(
    nodes={
        "load": WorkflowNode(type="LoadImage", inputs={"image": "red.png"}),
        "larger": WorkflowNode(type="ImageScale", inputs={"image": Link("load", "image"), "width": 128, "height": 128}),
        "save": WorkflowNode(type="SaveImage", inputs={"images": Link("larger", "image")}),
    }
)


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _prepare(home)
        first = _run(home)
        _run(home)
        again = statistics.median(_run(home) for _ in range(5))
        assert len(list((home / "output").iterdir())) == 1, "a cached run saved a picture again"
    return [
        shown("first run of a small workflow, CPU time", first, "s"),
        at_most("the same, fully cached, in a fresh process", "P4", again, 0.4, "s"),
        shown("of that, the start of Python itself", _start(), "s"),
    ]


def _prepare(home: Path) -> None:
    from PIL import Image

    (home / "input").mkdir()
    Image.new("RGB", (64, 64), "red").save(home / "input" / "red.png")
    (home / "workflow.json").write_text(dumps(WORKFLOW))


def _run(home: Path) -> float:
    command = ["run", str(home / "workflow.json"), "--device", "cpu"]
    return _cpu_seconds([str(SERVER), *command], home)


def _start() -> float:
    return statistics.median(_cpu_seconds(["-c", "pass"], Path.cwd()) for _ in range(5))


def _cpu_seconds(arguments: list[str], home: Path) -> float:
    """CPU time of a Python process from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "DARKROOM_HOME": str(home)}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
