"""A queue in a process of its own, to be killed: it submits, runs, moves and deletes jobs, and notes what was answered.

Imported by a fork server, so that each process is there at once.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from pathlib import Path

from engine.jobs.model import Sweep
from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.jobs.shop import NODES, Stage, told, wish


class QuickStage(Stage):
    """Workers that need three milliseconds for anything."""

    async def start(self, order: object) -> None:
        await super().start(order)  # pyright: ignore[reportArgumentType]
        loop = asyncio.get_running_loop()
        job = next(reversed(self.standing))
        loop.call_later(0.003, lambda: self._end(job))

    def _end(self, job: str) -> None:
        order = self.standing.pop(job)
        self.service.job_done(job, order.attempt, "done", 0.003, {"save": {"text": [job]}}, ())


def run(home: str, notes: str, seed: int, amount: int) -> None:
    """Work on the queue in `home`. Submits `amount` times, then ends when every job is finished."""
    asyncio.run(_run(Path(home), Path(notes), random.Random(seed), amount))


async def _run(home: Path, notes: Path, chance: random.Random, amount: int) -> None:
    file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(word: str, *ids: str) -> None:
        """One call of the system for each note: whole or not there, and there although the process is killed."""
        os.write(file, "".join(f"{word} {id}\n" for id in ids).encode())

    service = await JobService.open(Folders.under(home))
    listening = asyncio.create_task(_note_finished(service, note))
    service.catalogue_arrived(NODES, [])
    await service.start(QuickStage(service, places=4))
    note("ready", str(os.getpid()))
    await asyncio.gather(*(_submit(service, chance, note, f"client{index}", amount // 3) for index in range(3)))
    while (counts := await service.counts()).queued + counts.running:
        await asyncio.sleep(0.01)
    await service.close()
    await listening


async def _submit(service: JobService, chance: random.Random, note: object, client: str, amount: int) -> None:
    assert callable(note)
    for _ in range(amount):
        if chance.random() < 0.2:
            jobs = await service.submit(wish(client=client, sweep=Sweep(values={"picture.seed": [1, 2, 3]})))
        else:
            jobs = await service.submit(wish(client=client, id=str(uuid.uuid4()), front=chance.random() < 0.2))
        note("stored", *(job.id for job in jobs))
        if chance.random() < 0.1:
            removed = await service.delete([jobs[-1].id])
            note("deleted", *removed)


async def _note_finished(service: JobService, note: object) -> None:
    assert callable(note)
    subscription = service.subscribe()
    while subscription.closed is None:
        try:
            for event in await told(subscription, "job_finished"):
                note("told", str(event.seq))
                if event.type == "job_finished":
                    note("finished", event.job)
        except AssertionError:
            return
