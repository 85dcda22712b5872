"""A real server in a process of its own, with a real worker and a few nodes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from urllib.request import urlopen

from engine.node.folders import PROJECT

NODES = '''
    """A picture of one colour, slowly if asked to."""

    import time

    from engine.node import Context, Multiline, Shown, Steps, node


    @node(category="dots")
    def Dot(ctx: Context, colour: Multiline = "red", steps: Steps = 2) -> str:
        """Think about a colour."""
        for step in range(steps):
            ctx.progress(step + 1, steps, "thinking")
            ctx.preview(b"a picture", "image/jpeg")
            time.sleep(0.02)
            ctx.check_cancelled()
        if colour == "bad":
            raise ValueError("this colour is bad")
        return colour


    @node(category="dots", output=True)
    def SaveDot(colour: str, ctx: Context, filename_prefix: str = "dot") -> Shown:
        """Save a picture of one pixel."""
        import io

        from PIL import Image

        data = io.BytesIO()
        Image.new("RGB", (2, 1), colour).save(data, "PNG")
        path = ctx.folders.save(data.getvalue(), filename_prefix, ".png")
        return Shown(ui={"images": [{"path": path.relative_to(ctx.folders.output).as_posix()}]})
'''
READY_S = 60.0


@dataclass(frozen=True)
class Live:
    """Where a server answers, and its home."""

    url: str
    home: Path


@contextmanager
def live_server(home: Path) -> Generator[Live]:
    """Start a server and wait until its worker is up; stop it afterwards."""
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "dots.py").write_text(dedent(NODES))
    environment = {**os.environ, "DARKROOM_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = (sys.executable, str(PROJECT / "server.py"), "serve", "--port", "0", "--device", "cpu", "--no-warm")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = next((found[0] for line in process.stdout if (found := re.search(r"http://[\d.:]+", line))), None)
            assert address is not None, "the server ended before it said where it is"
            _wait_for_worker(address)
            yield Live(address, home)
        finally:
            process.terminate()
            process.wait(30)


def dots(colour: str = "red", steps: int = 2, prefix: str = "dot") -> dict[str, object]:
    """A workflow that saves a picture of one colour."""
    return {
        "darkroom": 1,
        "nodes": {
            "dot": {"type": "Dot", "inputs": {"colour": colour, "steps": steps}},
            "save": {"type": "SaveDot", "inputs": {"colour": {"from": "dot.string"}, "filename_prefix": prefix}},
        },
    }


def _wait_for_worker(address: str) -> None:
    deadline = time.monotonic() + READY_S
    while b'"workers":[]' in urlopen(f"{address}/v1/system").read():
        assert time.monotonic() < deadline, "no worker came up"
        time.sleep(0.1)
