"""Lists along edges: every output travels as a list, and a node that does not ask for lists is called for each element.

- A node is called as often as the longest of its lists is long; a shorter list repeats its last element. Literals are
  lists of one. (Tensor batches are a different thing and are never split.)
- An input with `is_list` takes the whole list, in every call.
- What calls return is appended to the outputs; an output with `is_list` must return a list, and those are joined.
- A blocked element blocks the calls that would take it; a blocked element of a whole list blocks all calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from engine.errors import InputProblem
from engine.node.lazy import Lazy
from engine.node.results import Blocked
from engine.node.schema import InputSchema, NodeSchema

Call = Mapping[str, Any] | Blocked
"""The arguments of one call by input name, or why it does not take place."""


def split_calls(schema: NodeSchema, inputs: Mapping[str, Sequence[Any] | None]) -> list[Call]:
    """Give the arguments of every call of a node.

    Args:
        inputs: The list that arrived at each input, None if a lazy one has not been computed; those of a variadic input
            `images` are `images.0`, `images.1`, ...

    Raises:
        InputProblem: a list that the node would be mapped over is empty.
    """
    whole: dict[str, Any] = {}
    mapped: dict[str, Sequence[Any]] = {}
    variadic: dict[str, list[str]] = {}
    for port in schema.inputs:
        names = [port.name] if port.name in inputs else []
        if port.variadic:
            names = variadic[port.name] = sorted((n for n in inputs if n.startswith(f"{port.name}.")), key=_position)
        for name in names:
            values = inputs[name]
            if port.is_list:
                whole[name] = _whole(port, name, values)
            else:
                mapped[name] = _each(port, name, values)
    stopped = next((value for value in whole.values() if isinstance(value, Blocked)), None)
    count = max(map(len, mapped.values()), default=1)
    calls: list[Call] = []
    for index in range(count):
        arguments = {name: values[min(index, len(values) - 1)] for name, values in mapped.items()}
        blocked = stopped or next((value for value in arguments.values() if isinstance(value, Blocked)), None)
        calls.append(blocked or _grown({**whole, **arguments}, variadic))
    return calls


def join_outputs(schema: NodeSchema, results: Sequence[Sequence[Any] | Blocked]) -> tuple[list[Any], ...]:
    """Make the node's output lists from what its calls returned, in order.

    Raises:
        InputProblem: an output that is a list got something else.
    """
    outputs = tuple(list[Any]() for _ in schema.outputs)
    for result in results:
        values = [result] * len(outputs) if isinstance(result, Blocked) else result
        for port, output, value in zip(schema.outputs, outputs, values, strict=True):
            if not port.is_list or isinstance(value, Blocked):
                output.append(value)
            elif isinstance(value, list | tuple):
                output.extend(cast(Sequence[Any], value))
            else:
                raise InputProblem(f"output '{port.name}' must be a list, and the node returned {type(value).__name__}")
    return outputs


def _position(part: str) -> tuple[int, str]:
    suffix = part.rpartition(".")[2]
    return (int(suffix), "") if suffix.isdecimal() else (0, suffix)


def _whole(port: InputSchema, name: str, values: Sequence[Any] | None) -> Any:
    if values is None:
        return Lazy[Any](name)
    blocked = next((value for value in values if isinstance(value, Blocked)), None)
    return blocked or (Lazy(name, list(values)) if port.lazy else list(values))


def _each(port: InputSchema, name: str, values: Sequence[Any] | None) -> Sequence[Any]:
    if values is None:
        return [Lazy[Any](name)]
    if not values:
        raise InputProblem(
            f"the list at '{name}' is empty, so there is nothing to call the node with; "
            f"check what makes that list, or use a node that takes whole lists",
            input=name,
        )
    return [value if isinstance(value, Blocked) else Lazy(name, value) for value in values] if port.lazy else values


def _grown(arguments: dict[str, Any], variadic: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    for name, parts in variadic.items():
        arguments[name] = tuple(arguments.pop(part) for part in parts)
    return arguments
