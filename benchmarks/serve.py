"""The server from its start to its first answer, in a process of its own, with its worker not counted."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.house import House
from benchmarks.row import Row, at_most, shown

STARTS = 3


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        first = _start(Path(home))
        seconds, peaks = zip(*(_start(Path(home)) for _ in range(STARTS)), strict=True)
    return [
        at_most("first start in a new home, CPU time to the first answer", "P5", first[0], 1.0, "s"),
        at_most("start to the first answer, CPU time", "P5", statistics.median(seconds), 1.0, "s"),
        at_most("memory held then", "P5", statistics.median(peaks) / 1e6, 80, "MB"),
        shown("of that time, the start of Python itself", _bare_start(), "s"),
    ]


def _start(home: Path) -> tuple[float, int]:
    """CPU seconds until the first answer, and bytes of memory held then."""
    with House(home) as house:
        house.call("GET", "/healthz")
        return _cpu_seconds(house.pid), _resident_bytes(house.pid)


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process and not of its children (proc(5), stat: fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def _bare_start() -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
