"""A server that is killed at random points of a queue of jobs: what is lost, done twice or done wrong."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from benchmarks.house import Gone, House, wait_until
from benchmarks.row import Row, at_most, shown

POINTS = 200
JOBS = 50
CLIENTS = 3
LONGEST_LIFE_S = 3.0

NODES = '''
    """Nodes that take their time."""

    import time

    from engine.node import Context, Shown, node


    @node(category="test")
    def Slowly(ctx: Context, text: str = "", seconds: float = 0.1) -> str:
        """Give a text, in a while."""
        for step in range(10):
            time.sleep(seconds / 10)
            ctx.progress(step + 1, 10)
        return text.upper()


    @node(category="test", output=True)
    def Keep(text: str, ctx: Context) -> Shown:
        """Save a text twice, in two files."""
        paths = [ctx.folders.save(f"{text} {part}".encode(), "kept", ".txt") for part in ("one", "two")]
        return Shown(ui={"files": [{"path": str(path)} for path in paths]})
'''


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the jobs."""

    jobs: int
    kills: int
    lost: int
    """Jobs that were accepted and are not done."""
    twice: int
    """Jobs that ended twice, exist twice, or left more files than they should."""
    wrong: int
    """Jobs whose files do not hold what they should."""
    interrupted: int
    """Jobs that ran when a kill came."""


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        found = torture(Path(home), POINTS, JOBS, random.Random(3))
    return [
        shown("kills of the server", found.kills, ""),
        shown("jobs", found.jobs, ""),
        shown("of those, running when a kill came", found.interrupted, ""),
        at_most("lost", "R1", found.lost, 0, ""),
        at_most("duplicated", "R1", found.twice, 0, ""),
        at_most("wrong", "R1", found.wrong, 0, ""),
    ]


def torture(home: Path, points: int, jobs: int, dice: random.Random) -> Outcome:
    """Submit jobs to a server, kill it at `points` random points meanwhile, and look at what is left.

    Whoever submits does as clients should: the same idempotency key until there is an answer.
    """
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "slowly.py").write_text(dedent(NODES))
    house = House(home)
    with house:
        house.knows_nodes()
    accepted: dict[str, str] = {}
    for point in range(points):
        house.start()
        die_at = time.monotonic() + dice.uniform(0, LONGEST_LIFE_S)
        due = (point + 1) * jobs // points
        _submit_until(house, accepted, due, die_at)
        time.sleep(max(0.0, die_at - time.monotonic()))
        house.kill()
    with house:
        _submit_until(house, accepted, jobs, time.monotonic() + 60)
        wait_until(lambda: all(job["finished_at"] for job in house.jobs()), 300)
        return _judge(house, accepted, points)


def _submit_until(house: House, accepted: dict[str, str], due: int, end: float) -> None:
    """Submit what is due by now, as long as the server lives."""
    while len(accepted) < due and time.monotonic() < end:
        number = len(accepted)
        try:
            accepted[f"text {number}"] = house.submit(_workflow(number), f"client {number % CLIENTS}", f"key {number}")
        except Gone:
            time.sleep(0.01)


def _workflow(number: int) -> dict[str, Any]:
    nodes = {
        "slowly": {"type": "Slowly", "inputs": {"text": f"text {number}", "seconds": 0.2}},
        "keep": {"type": "Keep", "inputs": {"text": {"from": "slowly.0"}}},
    }
    return {"darkroom": 1, "nodes": nodes}


def _judge(house: House, accepted: dict[str, str], kills: int) -> Outcome:
    jobs = {job["id"]: job for job in house.jobs()}
    kept = Counter(path.read_text() for path in (house.home / "output").iterdir())
    lost = twice = wrong = 0
    for text, id in accepted.items():
        job = jobs.get(id)
        lost += job is None or job["status"] != "done"
        parts = [kept.pop(f"{text.upper()} {part}", 0) for part in ("one", "two")]
        ends = len(house.events(id, "job_finished"))
        twice += ends > 1 or max(parts) > 1
        shown_files = [file["filename"] for file in job["outputs"].get("keep", {}).get("files", ())] if job else []
        texts = [(house.home / "output" / name).read_text() for name in shown_files]
        wrong += texts != [f"{text.upper()} {part}" for part in ("one", "two")]
    twice += len(jobs.keys() - set(accepted.values())) + len(kept)
    interrupted = sum(job["attempts"] > 1 for job in jobs.values())
    return Outcome(len(accepted), kills, lost, twice, wrong, interrupted)
