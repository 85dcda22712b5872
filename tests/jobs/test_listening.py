"""Events: logged before they are told, told to all once and in order, whatever the listener does (promise R12)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from engine.jobs.database import Database
from engine.jobs.events import Preview, WireEvent, WorkflowSaved
from engine.jobs.events_log import EventLog
from engine.jobs.hub import MOST_PREVIEWS, MOST_QUEUED, Hub, Subscription
from engine.jobs.model import Sweep
from tests.jobs.shop import shop, told, wish


def saved(name: object) -> WorkflowSaved:
    return WorkflowSaved(name=str(name), version="1")


def seqs(events: list[WireEvent]) -> list[int]:
    return [event.seq for event in events]


async def everything(subscription: Subscription, upto: int) -> list[WireEvent]:
    """What is told up to an event."""
    events: list[WireEvent] = []
    async with asyncio.timeout(60):
        while not events or events[-1].seq < upto:
            message = await anext(subscription)
            assert isinstance(message, WireEvent)
            events.append(message)
    return events


@asynccontextmanager
async def a_log(folder: Path, *, kept: int = 10_000, patience_s: float = 30.0) -> AsyncGenerator[tuple[EventLog, Hub]]:
    """A log and its listeners, without a queue."""
    database = await Database.open(folder / "queue.sqlite")
    try:
        log, last = await EventLog.open(database, lambda events: hub.publish(events), kept=kept)
        hub = Hub(last, lambda after, upto, limit: log.read(after, upto, limit=limit), lambda: log.oldest, patience_s)
        yield log, hub
    finally:
        await database.close()


async def test_a_job_tells_its_story_in_order(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        subscription = service.subscribe(service.last_seq)
        (job,) = await service.submit(wish(client="me"))
        await stage.started(job)
        stage.tell(job, type="run_started", nodes=["picture", "save"], cached=[])
        stage.tell(job, type="node_started", node="picture", node_type="Picture")
        stage.tell(job, type="node_progress", node="picture", step=1, total=2)
        stage.tell(job, type="node_finished", node="picture", seconds=0.1, key="k1", ui={"text": ["x"]})
        stage.finish(job, outputs={"save": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}})
        events = [event for event in await told(subscription, "job_finished") if event.job == job.id]
        assert [event.type for event in events] == [
            "job_queued",
            "job_started",
            "run_started",
            "node_started",
            "node_progress",
            "node_finished",
            "job_finished",
        ]
        assert [event.json for event in await service.events_of(job.id)] == [event.json for event in events]
        wire = [orjson.loads(event.json) for event in events]
        assert [each["seq"] for each in wire] == seqs(events) == sorted(seqs(events))
        assert all(each["job"] == job.id and each["at"] > 1e9 for each in wire)
        assert wire[0]["job_summary"] == orjson.loads(job.model_dump_json())
        assert (wire[5]["key"], wire[5]["ui"]) == ("k1", {"text": ["x"]})
        assert wire[6]["outputs"]["save"]["images"][0]["filename"] == "a.png"
        assert {event.client for event in events} == {"me"}


async def test_an_event_is_on_the_disk_before_it_is_told(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        subscription = service.subscribe()
        for index in range(20):
            service.publish(saved(index))
            message = await anext(subscription)
            assert isinstance(message, WireEvent)
            logged = await service._log.read(message.seq - 1, limit=1)  # pyright: ignore[reportPrivateUsage]
            assert [each.json for each in logged] == [message.json]


async def test_a_listener_that_returns_misses_nothing_and_hears_nothing_twice(tmp_path: Path) -> None:
    """Listeners come and go at random while events are written as fast as they can be."""
    chance = random.Random(3)
    async with shop(tmp_path, places=0) as (service, _):
        begin = service.last_seq

        async def write() -> None:
            for index in range(3_000):
                service.publish(saved(index))
                if index % 50 == 0:
                    await asyncio.sleep(0.002)

        async def listen() -> list[int]:
            heard, after = list[int](), begin
            while len(heard) < 3_000:
                subscription = service.subscribe(after)
                for _ in range(chance.randrange(1, 400)):
                    message = await anext(subscription)
                    assert isinstance(message, WireEvent)
                    heard.append(after := message.seq)
                    if len(heard) == 3_000:
                        break
                    if chance.random() < 0.02:
                        await asyncio.sleep(0.003)
                subscription.close()
            return heard

        writing = asyncio.create_task(write())
        async with asyncio.timeout(60):
            stories = await asyncio.gather(*(listen() for _ in range(4)))
        await writing
    assert all(heard == list(range(begin + 1, begin + 3_001)) for heard in stories)


async def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        (job,) = await service.submit(wish())
        last = service.last_seq
    async with shop(tmp_path, places=0) as (service, _):
        subscription = service.subscribe(0)
        assert subscription.complete
        await service.delete([job.id])
        events = await told(subscription, "job_removed")
        assert seqs(events) == sorted(set(seqs(events)))
        assert events[-1].seq > last


async def test_a_listener_that_is_behind_reads_the_log_and_keeps_little_in_memory(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        subscription = service.subscribe(service.last_seq)
        begin = service.last_seq
        await service.submit(
            wish(sweep=Sweep.model_validate({"values": {"picture.seed": {"from": 1, "to": 3_000, "step": 1}}}))
        )
        assert service.last_seq - begin > MOST_QUEUED
        assert len(subscription._events) <= MOST_QUEUED  # pyright: ignore[reportPrivateUsage]
        events = await everything(subscription, service.last_seq)
        assert seqs(events) == list(range(begin + 1, service.last_seq + 1))
        service.publish(saved("after"))
        assert [event.type for event in await everything(subscription, service.last_seq + 1)] == ["workflow_saved"]


async def test_a_listener_that_takes_nothing_is_let_go(tmp_path: Path) -> None:
    async with a_log(tmp_path, patience_s=0.05) as (log, hub):
        subscription, attentive = hub.subscribe(), hub.subscribe()
        for index in range(MOST_QUEUED + 1):
            log.add(saved(index))
        await everything(attentive, MOST_QUEUED + 1)
        await asyncio.sleep(0.06)
        log.add(saved("last"))
        await everything(attentive, MOST_QUEUED + 2)
        assert subscription.closed == "too_slow"
        assert attentive.closed is None
        with pytest.raises(StopAsyncIteration):
            await anext(subscription)


async def test_a_listener_hears_of_its_own_jobs_and_of_the_server(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        live, later = service.subscribe(client="me"), service.last_seq
        (other,), (mine,) = await service.submit(wish(client="you")), await service.submit(wish(client="me"))
        service.publish(saved("end"))
        for subscription in (live, service.subscribe(later, client="me")):
            events = await told(subscription, "workflow_saved")
            assert mine.id in {event.job for event in events}
            assert other.id not in {event.job for event in events}
            assert "queue_changed" in {event.type for event in events}


async def test_all_subscriptions_end_with_the_server(tmp_path: Path) -> None:
    async with shop(tmp_path, places=0) as (service, _):
        subscription = service.subscribe()
        waiting = asyncio.create_task(told(subscription, "never"))
        (job,) = await service.submit(wish())
        until = asyncio.create_task(service.wait(job.id))
        await asyncio.sleep(0.05)
    assert subscription.closed == "shutdown"
    with pytest.raises(AssertionError, match="shutdown"):
        await waiting
    with pytest.raises(Exception, match="stopping"):
        await until
    assert service.subscribe().closed == "shutdown"


async def test_only_the_newest_picture_of_a_node_waits_and_events_come_first(tmp_path: Path) -> None:
    async with shop(tmp_path) as (service, stage):
        (job,) = await service.submit(wish(client="me"))
        await stage.started(job)
        subscription, stranger = service.subscribe(), service.subscribe(client="you")
        for step in range(50):
            service.job_preview(job.id, 1, "picture", "image/jpeg", b"%d" % step)
        service.job_preview(job.id, 2, "picture", "image/jpeg", b"of no attempt there is")
        for index in range(100):
            service.job_preview(job.id, 1, f"node{index}", "image/jpeg", b"x")
        last = service.last_seq
        service.publish(saved("now"))
        while service.last_seq == last:
            await asyncio.sleep(0.01)
        first = await anext(subscription)
        assert isinstance(first, WireEvent)
        pictures = [await anext(subscription) for _ in range(MOST_PREVIEWS)]
        assert pictures[0] == Preview(job.id, "picture", "image/jpeg", b"49", "me")
        waiting = asyncio.ensure_future(anext(subscription))
        assert not (await asyncio.wait((waiting,), timeout=0.05))[0], "more pictures waited than may"
        waiting.cancel()
        only = await anext(stranger)
        assert isinstance(only, WireEvent)


async def test_the_log_keeps_its_bound_and_says_when_it_lacks_something(tmp_path: Path) -> None:
    async with a_log(tmp_path, kept=500) as (log, hub):
        early = hub.subscribe(0)
        for _ in range(50):
            for index in range(100):
                log.add(saved(index))
            log.flush()
        await log.change(lambda tx: tx.tell(saved("last")))
        kept = await log.read(0, limit=10_000)
        assert 500 <= len(kept) <= 2_600
        assert kept[0].seq == log.oldest
        assert not hub.subscribe(3).complete
        late = hub.subscribe(log.oldest - 1)
        assert late.complete
        assert seqs(await everything(late, hub.last_seq)) == seqs(kept)
        assert not hub.subscribe(hub.last_seq + 1).complete, "that number is of another database"
        async for _ in early:
            pass
        assert early.closed == "too_slow", "it would have missed what the log has given up"
