"""Real workers under a supervisor that reports to a notebook, and the nodes that they run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from pydantic import JsonValue

from engine.errors import Problem
from engine.jobs.model import PluginState
from engine.jobs.process import Limits
from engine.jobs.supervisor import Supervisor
from engine.jobs.workers import Order
from engine.node.schema import NodeSchema

SERVER = Path(__file__).resolve().parents[2] / "server.py"
WORKER = (sys.executable, str(SERVER), "worker", "--no-warm")

NODES = '''
    """Nodes that keep, and nodes that break, the rules."""

    import ctypes
    import os
    import resource
    import signal
    import sys
    import time

    from engine.node import Context, Shown, node


    @node(category="test")
    def Words(text: str = "hello") -> str:
        """Give some words."""
        return text


    @node(category="test")
    def Wait(ctx: Context, text: str = "", seconds: float = 1.0) -> str:
        """Wait politely."""
        for step in range(20):
            time.sleep(seconds / 20)
            ctx.progress(step + 1, 20, "waiting")
        return text


    @node(category="test")
    def Misbehave(ctx: Context, how: str = "raise", text: str = "") -> str:
        """Do what no node should."""
        match how:
            case "raise":
                raise ZeroDivisionError("as it was told to")
            case "exit":
                os._exit(7)
            case "sys.exit":
                sys.exit(7)
            case "segfault":
                ctypes.string_at(0)
            case "hang":
                time.sleep(1000)
            case "hold":
                ctypes.PyDLL(None).sleep(1000)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "eat":
                used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
                before = resource.getrlimit(resource.RLIMIT_AS)
                resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, before[1]))
                hoard = []
                try:
                    while True:
                        hoard.append(bytearray(2**25))
                finally:
                    resource.setrlimit(resource.RLIMIT_AS, before)
        return text


    @node(category="test", output=True)
    def SaveWords(text: str, ctx: Context, filename_prefix: str = "words") -> Shown:
        """Save words to a text file."""
        path = ctx.folders.save(text.encode(), filename_prefix, ".txt")
        if (marker := ctx.folders.input / "die after saving").exists():
            marker.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return Shown(ui={"files": [{"path": str(path)}]})


    @node(category="test", output=True)
    def Practise(ctx: Context, steps: int = 20, seconds: float = 2.0) -> Shown:
        """Take steps, noting each in a file, and make way for others after any of them."""
        notes = ctx.folders.output / "practice.txt"
        notes.parent.mkdir(parents=True, exist_ok=True)
        while (step := len(notes.read_text()) if notes.exists() else 0) < steps:
            time.sleep(seconds / steps)
            with notes.open("a") as file:
                file.write("x")
            ctx.progress(step + 1, steps)
            ctx.make_way()
        return Shown(ui={"text": [str(step)]})


    @node(category="test", output=True)
    def ShowWords(text: str, ctx: Context) -> Shown:
        """Show words."""
        ctx.preview(text.encode(), "text/plain")
        return Shown(ui={"text": [text]})
'''


def prepare_home(home: Path) -> Path:
    """Make a user's home with the nodes."""
    (home / "plugins").mkdir(parents=True)
    (home / "input").mkdir()
    (home / "plugins" / "manners.py").write_text(dedent(NODES))
    return home


def document(nodes: Mapping[str, tuple[str, Mapping[str, Any]]]) -> dict[str, JsonValue]:
    """`{"save": ("SaveWords", {"text": {"from": "words.0"}})}` as a workflow."""
    return {
        "darkroom": 1,
        "nodes": {id: {"type": kind, "inputs": dict(inputs)} for id, (kind, inputs) in nodes.items()},
    }


def saving(text: str = "hello", seconds: float = 0.0) -> dict[str, JsonValue]:
    """A workflow that waits and saves some words."""
    return document(
        {
            "words": ("Words", {"text": text}),
            "wait": ("Wait", {"text": {"from": "words.0"}, "seconds": seconds}),
            "save": ("SaveWords", {"text": {"from": "wait.0"}}),
        }
    )


def misbehaving(how: str) -> dict[str, JsonValue]:
    return document({"bad": ("Misbehave", {"how": how}), "save": ("SaveWords", {"text": {"from": "bad.0"}})})


@dataclass
class Notebook:
    """Takes down what a supervisor reports."""

    lines: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    nodes: tuple[str, ...] = ()
    plugins: Sequence[PluginState] = ()
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def catalogue_arrived(self, nodes: Sequence[NodeSchema], plugins: Sequence[PluginState]) -> None:
        self.nodes, self.plugins = tuple(each.name for each in nodes), plugins

    def worker_changed(self, device: str | None, state: str) -> None:
        self._note("worker", device, state)

    def job_event(self, job: str, attempt: int, event: Mapping[str, JsonValue]) -> None:
        self._note("event", job, attempt, event)

    def job_preview(self, job: str, attempt: int, node: str, media_type: str, image: bytes) -> None:
        self._note("preview", job, attempt, node, media_type, image)

    def job_done(
        self,
        job: str,
        attempt: int,
        status: str,
        seconds: float,
        outputs: Mapping[str, Mapping[str, JsonValue]],
        problems: Sequence[Problem],
    ) -> None:
        self._note("done", job, attempt, status, outputs, problems)

    def job_yielded(self, job: str, attempt: int) -> None:
        self._note("yielded", job, attempt)

    def job_lost(self, job: str, attempt: int, reason: Problem) -> None:
        self._note("lost", job, attempt, reason)

    def _note(self, *line: Any) -> None:
        self.lines.append(line)
        self._wake.set()

    def of(self, kind: str, job: str | None = None) -> list[tuple[Any, ...]]:
        return [line for line in self.lines if line[0] == kind and job in (None, line[1])]

    def events(self, job: str, kind: str) -> list[Mapping[str, Any]]:
        return [line[3] for line in self.of("event", job) if line[3]["type"] == kind]

    async def until(self, fulfilled: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until what was noted fulfils a wish."""
        async with asyncio.timeout(seconds):
            while not fulfilled():
                self._wake.clear()
                await self._wake.wait()

    async def end_of(self, job: str) -> tuple[Any, ...]:
        """How an attempt of a job ended: the one line about it that counts."""
        await self.until(lambda: bool(self.of("done", job) or self.of("lost", job)))
        (line,) = self.of("done", job) + self.of("lost", job)
        return line

    async def ready(self) -> None:
        await self.until(lambda: self.of("worker")[-1:] == [("worker", "cpu", "ready")])


@asynccontextmanager
async def supervised(
    home: Path, *, parallel: int = 8, limits: Limits | None = None, command: Sequence[str] = WORKER
) -> AsyncGenerator[tuple[Supervisor, Notebook]]:
    """One worker on the CPU, ready. `DARKROOM_HOME` must be `home`."""
    notebook = Notebook()
    supervisor = Supervisor(
        notebook, command, ["cpu"], home / "user" / "logs" / "worker.log", parallel=parallel, limits=limits
    )
    await supervisor.open()
    try:
        if command is WORKER:
            await notebook.ready()
        yield supervisor, notebook
    finally:
        await supervisor.close()


def order(job: str, workflow: JsonValue, attempt: int = 1) -> Order:
    return Order(
        job=job,
        attempt=attempt,
        device="cpu",
        workflow=workflow,
        outputs=None,
        prompt_json=None,
        workflow_json=None,
        wants_preview=True,
    )
