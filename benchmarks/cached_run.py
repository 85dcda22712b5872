"""A workflow whose results are all known, run by the command line in a process of its own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.row import Row, at_most

PROJECT = Path(__file__).resolve().parents[1]
WORKFLOW = PROJECT / "workflows" / "text_to_image.json"


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        _run(home)
        _run(home)
        seconds = statistics.median(_run(home) for _ in range(5))
    return [at_most("fully cached run in a fresh process, CPU time", "P4", seconds, 0.4, "s")]


def _run(home: str) -> float:
    """Run the workflow; the process's CPU time in seconds."""
    before = _children_seconds()
    command = [sys.executable, str(PROJECT / "server.py"), "run", str(WORKFLOW), "--device", "cpu"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DARKROOM_HOME": home})
    return _children_seconds() - before


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
