"""What several need at once is computed once (promise P11)."""

from __future__ import annotations

import asyncio
import threading

from engine.node.context import Context
from engine.node.decorator import node
from engine.run.cancel import Cancel
from engine.run.engine import Engine
from engine.run.events import Event, NodeStarted
from engine.run.result import RunResult
from tests.run.workshop import Journal, Spec, Workshop, link


class Valve:
    """Nodes wait at it until it is opened; opening it may make the first of them fail."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.failures = 0


@node(category="test")
def Slow(ctx: Context, value: int = 0) -> int:
    """A number, once the valve is open."""
    ctx.service(Journal).note(ctx)
    valve = ctx.service(Valve)
    while not valve.opened.wait(0.001):
        ctx.check_cancelled()
    if valve.failures:
        valve.failures -= 1
        raise OSError("the valve broke")
    return value


def job(extra: int) -> dict[str, Spec]:
    return {"slow": ("Slow", {"value": 1}), "sum": ("Add", {"a": link("slow"), "b": extra})}


async def run_together(
    workshop: Workshop, engine: Engine, valve: Valve, jobs: int, cancel_first: Cancel | None = None
) -> list[RunResult | BaseException]:
    """Run jobs with one prefix; the valve opens (or the first job is cancelled) when all wait for it."""
    graphs = [workshop.graph(engine, job(extra), ["sum"]) for extra in range(jobs)]
    started = asyncio.Event()

    def listener(event: Event) -> None:
        if isinstance(event, NodeStarted):
            started.set()

    first = asyncio.create_task(engine.arun(graphs[0], listener, cancel_first))
    await started.wait()
    others = [asyncio.create_task(engine.arun(graph)) for graph in graphs[1:]]
    await asyncio.sleep(0.02)
    if cancel_first:
        cancel_first.set()
        await first
    valve.opened.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


def test_eight_jobs_with_one_prefix_compute_it_once(workshop: Workshop) -> None:
    valve = Valve()
    workshop.services = (valve,)
    engine = workshop.engine(Slow)
    results = asyncio.run(run_together(workshop, engine, valve, 8))
    values = [result.value("sum") for result in results if isinstance(result, RunResult)]
    assert values == [1, 2, 3, 4, 5, 6, 7, 8]
    assert workshop.journal.take().count("slow") == 1


def test_it_is_computed_once_even_if_the_cache_keeps_nothing(workshop: Workshop) -> None:
    valve = Valve()
    workshop.services, workshop.memory_bytes = (valve,), 0
    engine = workshop.engine(Slow)
    asyncio.run(run_together(workshop, engine, valve, 4))
    assert workshop.journal.take().count("slow") == 1


def test_when_the_computing_run_fails_another_computes_it_itself(workshop: Workshop) -> None:
    valve = Valve()
    valve.failures = 1
    workshop.services = (valve,)
    engine = workshop.engine(Slow)
    results = asyncio.run(run_together(workshop, engine, valve, 3))
    assert [result.status for result in results if isinstance(result, RunResult)] == ["failed", "done", "done"]
    assert workshop.journal.take().count("slow") == 2


def test_when_the_computing_run_is_cancelled_another_computes_it_itself(workshop: Workshop) -> None:
    valve = Valve()
    workshop.services = (valve,)
    engine = workshop.engine(Slow)
    results = asyncio.run(run_together(workshop, engine, valve, 3, Cancel()))
    assert [result.status for result in results if isinstance(result, RunResult)] == ["cancelled", "done", "done"]
    assert workshop.journal.take().count("slow") == 2


def test_a_run_that_waits_for_another_can_be_cancelled(workshop: Workshop) -> None:
    valve = Valve()
    workshop.services = (valve,)
    engine = workshop.engine(Slow)
    cancel = Cancel()

    async def cancel_second() -> tuple[RunResult, RunResult]:
        first = asyncio.create_task(engine.arun(workshop.graph(engine, job(0), ["sum"])))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(engine.arun(workshop.graph(engine, job(1), ["sum"]), None, cancel))
        await asyncio.sleep(0.01)
        cancel.set()
        cancelled = await second
        valve.opened.set()
        return await first, cancelled

    first, second = asyncio.run(cancel_second())
    assert first.value("sum") == 1 and first.status == "done"
    assert second.status == "cancelled"
    assert workshop.journal.take() == ["slow", "sum"]


def test_runs_on_several_threads_share_too(workshop: Workshop) -> None:
    valve = Valve()
    workshop.services = (valve,)
    engine = workshop.engine(Slow)
    results: list[int] = []

    def run(extra: int) -> None:
        results.append(engine.run(workshop.graph(engine, job(extra), ["sum"])).value("sum"))

    threads = [threading.Thread(target=run, args=(extra,)) for extra in range(4)]
    for thread in threads:
        thread.start()
    threading.Event().wait(0.05)
    valve.opened.set()
    for thread in threads:
        thread.join()
    assert sorted(results) == [1, 2, 3, 4]
    assert workshop.journal.take().count("slow") == 1
