"""What a node's body may hand back besides plain values, and the one form all of it is brought into.

A body returns a value, a `NamedTuple` (several outputs), `None` (no outputs), or one of

- `Shown(*outputs, ui=...)`: outputs plus what the node displays: `{"images": [{"path": ..., "width": ..., ...}]}`;
- `Expansion(prompt, outputs)`: a subgraph to run in the node's place;
- `Blocked(message)`: whatever depends on the node, or on this one output, does not run; that is no failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from engine.errors import InputProblem
from engine.node.schema import NodeSchema, OutputSchema

Ui = Mapping[str, JsonValue]


def _no_ui() -> Ui:
    return {}


class Shown:
    """Outputs together with what an output node displays."""

    def __init__(self, *outputs: object, ui: Ui) -> None:
        self.outputs = outputs
        self.ui = ui


@dataclass(frozen=True, slots=True)
class Blocked:
    """Stop what depends on this, quietly or with a message for the user."""

    message: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link to an output, by name or index, of a node inside an `Expansion`."""

    node: str
    output: str | int = 0


@dataclass(frozen=True, slots=True)
class Expansion:
    """A subgraph that takes the node's place.

    Args:
        prompt: `id -> {"class_type": ..., "inputs": {name: literal, Link(...) or value}}`, ids local to it.
        outputs: one per output of the node: a `Link` into `prompt`, or a value.
    """

    prompt: Mapping[str, Mapping[str, object]]
    outputs: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a node did, in the one form that the executor knows: one entry of `outputs` per output of the schema."""

    outputs: tuple[object, ...]
    ui: Ui = field(default_factory=_no_ui)
    expansion: Expansion | None = None


def normalise(returned: object, schema: NodeSchema, classes: tuple[tuple[type, ...] | None, ...]) -> Result:
    """Bring what a body returned into one form, and check it against the schema.

    Args:
        returned: what the body gave back.
        schema: of the node that ran.
        classes: for each output the classes a value of it may have, or None where any value goes.

    Raises:
        InputProblem: the number of outputs or the class of one is not what the node announced.
    """
    if isinstance(returned, Expansion):
        return Result(_counted(returned.outputs, schema), expansion=returned)
    ui = returned.ui if isinstance(returned, Shown) else _no_ui()
    outputs = _counted(_split(returned, schema), schema)
    for value, output, wanted in zip(outputs, schema.outputs, classes, strict=True):
        _check(value, output, wanted, schema)
    return Result(outputs, ui)


def _split(returned: object, schema: NodeSchema) -> tuple[object, ...]:
    if isinstance(returned, Blocked):
        return (returned,) * len(schema.outputs)
    if isinstance(returned, Shown):
        outputs = returned.outputs
        return _split(outputs[0], schema) if len(outputs) == 1 and len(schema.outputs) > 1 else outputs
    if returned is None and not schema.outputs:
        return ()
    if isinstance(returned, tuple) and (len(schema.outputs) != 1 or _is_outputs(type(cast(object, returned)))):
        return cast(tuple[object, ...], returned)
    return (cast(object, returned),)


def _is_outputs(kind: type) -> bool:
    """Whether a tuple class names outputs, rather than being itself the value of one."""
    return hasattr(kind, "_fields") and not hasattr(kind, "port")


def _counted(outputs: tuple[object, ...], schema: NodeSchema) -> tuple[object, ...]:
    if len(outputs) != len(schema.outputs):
        names = ", ".join(output.name for output in schema.outputs) or "none"
        raise InputProblem(
            f"{schema.name} returned {len(outputs)} outputs, its annotation promises {len(schema.outputs)} ({names}); "
            "correct the node's return value"
        )
    return outputs


def _check(value: object, output: OutputSchema, classes: tuple[type, ...] | None, schema: NodeSchema) -> None:
    if isinstance(value, Blocked):
        return
    if output.is_list:
        if not isinstance(value, list):
            raise InputProblem(
                f"{schema.name}: output {output.name} should be a list of {output.type}, but is {_kind(value)}; "
                "correct the node's return value"
            )
        items = cast(list[object], value)
    else:
        items = [value]
    for item in items:
        if classes is not None and not isinstance(item, (*classes, Blocked)):
            raise InputProblem(
                f"{schema.name}: output {output.name} should be {output.type}, but is {_kind(item)}; "
                "correct the node's return value"
            )


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
