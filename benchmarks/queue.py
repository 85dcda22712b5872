"""The queue: a thousand jobs stored so that no power cut loses one, and looked at. CPU times of all threads."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.row import Row, at_most, shown
from engine.graph.document import load
from engine.graph.workflow import Workflow
from engine.jobs import queue
from engine.jobs.model import Submit, Sweep
from engine.jobs.service import JobService
from engine.node.folders import Folders
from engine.node.registry import Registry

WORKFLOW = Path(__file__).resolve().parents[1] / "workflows" / "text_to_image.json"
JOBS = 1_000
MANY = 10_000


def rows() -> list[Row]:
    return asyncio.run(_rows())


async def _rows() -> list[Row]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # where /tmp is memory, nothing would be measured
        folders = Folders.under(Path(folder))
        service = await JobService.open(folders)
        try:
            service.catalogue_arrived(list(Registry.open((), folders.cache).catalogue), [])
            return await _measure(service)
        finally:
            await service.close()


async def _measure(service: JobService) -> list[Row]:
    workflow = load(WORKFLOW)
    seed = next(f"{id}.seed" for id, node in workflow.nodes.items() if "seed" in node.inputs)

    async def one(index: int) -> object:
        return await service.submit(Submit(workflow=workflow, settings={seed: index}))

    async def one_after_another() -> None:
        for index in range(JOBS):
            await one(index)

    async def at_once() -> object:
        return await asyncio.gather(*(one(index) for index in range(JOBS)))

    begin = time.perf_counter()
    alone = await _seconds(one_after_another, repeats=1)
    elapsed = time.perf_counter() - begin
    together = await _seconds(at_once, repeats=1)
    sweep = await _seconds(lambda: service.submit(_sweep(workflow, seed, JOBS)), repeats=3)
    await service.submit(_sweep(workflow, seed, MANY))
    waiting = {"queued", "running"}
    page = await _seconds(lambda: service.list(status=waiting))  # pyright: ignore[reportArgumentType]
    last = await _seconds(lambda: service.list(status=waiting, offset=MANY))  # pyright: ignore[reportArgumentType]
    search = await _seconds(lambda: service.list(query="no such word"))
    take = await _seconds(lambda: service._log.change(lambda tx: queue.take(tx, "cpu")))  # pyright: ignore[reportPrivateUsage]
    await service.cancel()
    history = await _seconds(lambda: service.list(status={"cancelled", "done", "failed"}))
    return [
        at_most(f"{JOBS:,} jobs, each on the disk before the next is sent", "P15", alone, 5, "s"),
        shown("that by the clock, with the disk and whatever else the machine did", elapsed, "s"),
        at_most(f"{JOBS:,} jobs sent at once", "P15", together, 5, "s"),
        at_most(f"a sweep of {JOBS:,} jobs", "P15", sweep, 5, "s"),
        at_most(f"a page of the queue with {MANY:,} jobs waiting", "P15", 1000 * page, 50, "ms"),
        at_most("the last page of that", "P15", 1000 * last, 50, "ms"),
        at_most(f"a page of a history of {MANY:,} jobs", "P15", 1000 * history, 50, "ms"),
        shown("a search through them that finds nothing", 1000 * search, "ms"),
        shown("looking whether one of them may start", 1000 * take, "ms"),
    ]


def _sweep(workflow: Workflow, seed: str, count: int) -> Submit:
    values = {seed: {"from": 1, "to": count, "step": 1}}
    return Submit(workflow=workflow, sweep=Sweep.model_validate({"values": values}))


async def _seconds(work: Callable[[], Awaitable[object]], repeats: int = 5) -> float:
    """Median CPU time."""
    taken: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        await work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)
