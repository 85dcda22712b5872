"""One measured figure beside what was promised, and how to take it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `promise` is an id of the list of promises (`P1`), or empty for a figure that is only shown; `met` is then None.
    """

    name: str
    promise: str
    measured: str
    target: str = ""
    met: bool | None = None


def at_most(name: str, promise: str, value: float, limit: float, unit: str) -> Row:
    """A figure that is promised to be at most `limit`."""
    return Row(name, promise, _written(value, unit), f"<= {_written(limit, unit)}", value <= limit)


def at_least(name: str, promise: str, value: float, limit: float, unit: str) -> Row:
    """A figure that is promised to be at least `limit`."""
    return Row(name, promise, _written(value, unit), f">= {_written(limit, unit)}", value >= limit)


def shown(name: str, value: float, unit: str) -> Row:
    """A figure that nothing is promised about."""
    return Row(name, "", _written(value, unit))


def cpu_seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """Median CPU time of a call, all threads together. CPU time, because the machine may have other things to do."""
    taken: list[float] = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def _written(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {unit}".rstrip() if unit != "x" else f"{number}x"
