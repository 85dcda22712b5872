"""The server from its start to its first answer, in a process of its own, with its worker not counted."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.row import Row, at_most, shown

SERVER = Path(__file__).resolve().parents[1] / "server.py"
STARTS = 3


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        cold = _start(Path(home))
        found = [_start(Path(home)) for _ in range(STARTS)]
    seconds, peaks = zip(*found, strict=True)
    return [
        at_most("first start in a new home, CPU time to the first answer", "P5", cold[0], 1.0, "s"),
        at_most("start to the first answer, CPU time", "P5", statistics.median(seconds), 1.0, "s"),
        at_most("memory held then", "P5", statistics.median(peaks) / 1e6, 80, "MB"),
        shown("of that time, the start of Python itself", _bare_start(), "s"),
    ]


@contextmanager
def served(home: Path, *options: str) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """A server in a home, and its port. It may not listen yet."""
    port = free_port()
    command = [sys.executable, str(SERVER), "serve", "--port", str(port), "--device", "cpu", *options]
    server = subprocess.Popen(
        command, env={**os.environ, "DARKROOM_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield server, port
    finally:
        server.kill()
        server.wait()


def answer(port: int, path: str = "/healthz") -> bytes:
    """The server's first answer, however long it takes."""
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as reply:
                return reply.read()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _start(home: Path) -> tuple[float, int]:
    """CPU seconds until the first answer, and bytes of memory held then."""
    with served(home, "--no-warm") as (server, port):
        answer(port)
        return _cpu_seconds(server.pid), _resident_bytes(server.pid)


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
