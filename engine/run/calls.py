"""Calling a node: once for each element of its lists, noting what it asks for and how long it took."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol, cast

from engine.errors import DarkroomError
from engine.node.context import Context
from engine.node.lazy import NeedsInput
from engine.node.node_type import NodeType
from engine.node.results import Result


class Guard(Protocol):
    """Watches the arguments of a call."""

    def before(self, arguments: Mapping[str, Any]) -> object: ...

    def after(self, arguments: Mapping[str, Any], seen: object) -> None:
        """Raise when the call changed what it was given."""
        ...


@dataclass(slots=True)
class CallReport:
    results: dict[int, Result] = field(default_factory=dict[int, Result])
    asked: set[str] = field(default_factory=set[str])
    """Lazy inputs that calls without a result need first."""
    seconds: float = 0.0


Calls = Mapping[int, Mapping[str, Any]]
"""The arguments of the calls to make, by position in the node's lists."""


def call_node(node_type: NodeType, calls: Calls, ctx: Context, guard: Guard | None) -> CallReport:
    """Make the calls of a synchronous node one after another."""
    report = CallReport()
    started = perf_counter()
    for index, arguments in calls.items():
        ctx.check_cancelled()
        seen = guard.before(arguments) if guard else None
        try:
            report.results[index] = node_type.result(node_type.call(arguments, ctx))
        except NeedsInput as asked:
            report.asked.add(asked.name)
        if guard:
            guard.after(arguments, seen)
    report.seconds = perf_counter() - started
    return report


async def call_async_node(node_type: NodeType, calls: Calls, ctx: Context, guard: Guard | None) -> CallReport:
    """Make the calls of an async node together, so that a step driver can batch them; the first failure ends all."""
    report = CallReport()

    async def call_one(index: int, arguments: Mapping[str, Any]) -> None:
        seen = guard.before(arguments) if guard else None
        try:
            returned = node_type.call(arguments, ctx)
            if inspect.isawaitable(returned):
                returned = await cast(Awaitable[object], returned)
            report.results[index] = node_type.result(returned)
        except NeedsInput as asked:
            report.asked.add(asked.name)
        except SystemExit as error:  # in a task it would end the event loop and all runs on it
            raise DarkroomError("tried to exit the program") from error
        if guard:
            guard.after(arguments, seen)

    started = perf_counter()
    ctx.check_cancelled()
    if len(calls) == 1:
        for index, arguments in calls.items():
            await call_one(index, arguments)
    else:
        await _all_or_none([call_one(index, arguments) for index, arguments in calls.items()])
    report.seconds = perf_counter() - started
    return report


async def _all_or_none(calls: list[Coroutine[None, None, None]]) -> None:
    """Run coroutines together; when one fails, cancel the others and wait until they have ended."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
