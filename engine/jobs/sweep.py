"""Sweeps: lists and ranges of values become one set of settings for each job."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pydantic import JsonValue

from engine.errors import Problem, WorkflowError
from engine.graph.wording import shorten
from engine.jobs.model import MAX_SWEEP_JOBS, Range, Sweep

Settings = dict[str, JsonValue]


def points(sweep: Sweep) -> list[Settings]:
    """The settings of each job, the last input changing fastest.

    Raises:
        WorkflowError: `empty_sweep`, `bad_range`, `sweep_lengths` or `sweep_too_large`, each with its input.
    """
    problems: list[Problem] = []
    axes: dict[str, Sequence[JsonValue]] = {}
    for name, values in sweep.values.items():
        axis = _range(name, values) if isinstance(values, Range) else values
        if isinstance(axis, Problem):
            problems.append(axis)
        elif not axis:
            problems.append(_at(name, "empty_sweep", "It has no values to sweep over.", fix="give at least one value"))
        else:
            axes[name] = axis
    if not problems:
        problems = _too_many(sweep, axes) if sweep.mode == "product" else _uneven(axes)
    if problems:
        raise WorkflowError(problems)
    return list(_product(axes) if sweep.mode == "product" else _zip(axes))


def _product(axes: Mapping[str, Sequence[JsonValue]]) -> Iterator[Settings]:
    return (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))


def _zip(axes: Mapping[str, Sequence[JsonValue]]) -> Iterator[Settings]:
    return (dict(zip(axes, values, strict=True)) for values in zip(*axes.values(), strict=True))


def _range(name: str, given: Range) -> list[JsonValue] | Problem:
    """The numbers of a range. They are counted in decimals, so that 0.1, 0.2, 0.3 are just these."""
    if not (math.isfinite(given.start) and math.isfinite(given.to) and math.isfinite(given.step or 0)):
        return _at(name, "bad_range", "A range goes between finite numbers.", fix="write numbers")
    if (given.step is None) == (given.count is None):
        return _at(
            name,
            "bad_range",
            "A range takes either `step` or `count`.",
            wanted='{"from": 1, "to": 9, "step": 2} or {"from": 0, "to": 1, "count": 5}',
            fix="give one of them",
        )
    first, last = Decimal(str(given.start)), Decimal(str(given.to))
    if given.count is not None:
        return _counted(first, last, given.count, whole=_whole(given.start, given.to))
    step = Decimal(str(given.step))
    if step == 0 or (last - first) * step < 0:
        way = "0" if step == 0 else "away from its end"
        return _at(
            name, "bad_range", f"The step of the range leads {way}.", got=f"{step}", fix="turn the sign of `step`"
        )
    count = int((last - first) / step) + 1
    if count > MAX_SWEEP_JOBS:
        return _at(
            name,
            "sweep_too_large",
            f"The range has {count:,} values.",
            wanted=f"at most {MAX_SWEEP_JOBS:,}",
            fix="take a larger step",
        )
    whole = _whole(given.start, given.step)
    return [_number(first + step * index, whole) for index in range(count)]


def _counted(first: Decimal, last: Decimal, count: int, whole: bool) -> list[JsonValue]:
    """`count` numbers; whole ones where the ends are whole and the numbers between can be."""
    if count == 1:
        return [_number(first, whole)]
    between, rest = divmod(last - first, count - 1)
    if whole and rest == 0:
        return [int(first + between * index) for index in range(count)]
    return [float(first + (last - first) * index / (count - 1)) for index in range(count)]


def _whole(*numbers: float | None) -> bool:
    return all(isinstance(number, int) for number in numbers)


def _number(value: Decimal, whole: bool) -> int | float:
    return int(value) if whole else float(value)


def _too_many(sweep: Sweep, axes: Mapping[str, Sequence[JsonValue]]) -> list[Problem]:
    count = math.prod(len(axis) for axis in axes.values())
    if count <= MAX_SWEEP_JOBS:
        return []
    sizes = " x ".join(f"{len(axis):,}" for axis in axes.values())
    return [
        Problem(
            "sweep_too_large",
            f"The sweep makes {count:,} jobs ({sizes}).",
            wanted=f"at most {MAX_SWEEP_JOBS:,}",
            fix="sweep over fewer values, or use `zip`",
        )
    ]


def _uneven(axes: Mapping[str, Sequence[JsonValue]]) -> list[Problem]:
    lengths = {name: len(axis) for name, axis in axes.items()}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{shorten(name)}: {length:,}" for name, length in lengths.items())
        return [
            Problem(
                "sweep_lengths",
                "A sweep in `zip` mode takes its lists side by side, so they must be equally long.",
                got=got,
                fix="give lists of one length, or use `product`",
            )
        ]
    name, length = next(iter(lengths.items()))
    if length > MAX_SWEEP_JOBS:
        return [_at(name, "sweep_too_large", f"The sweep makes {length:,} jobs.", wanted=f"at most {MAX_SWEEP_JOBS:,}")]
    return []


def _at(
    name: str, code: str, message: str, *, wanted: str | None = None, got: str | None = None, fix: str | None = None
) -> Problem:
    """A problem of one axis; its input is told by the name as it was given."""
    node, _, input = name.rpartition(".")
    return Problem(code, message, node or None, input, wanted, got, fix)
