"""ComfyUI's API format ("prompt") as a workflow: node ids to `{"class_type": ..., "inputs": {...}}`.

An input that is an array is a link `[node id, slot]`, anything else a literal; a literal array is wrapped as
`{"__value__": [...]}`. `_meta.title` is the title; `is_changed` and unknown keys have no meaning here.
Slots become output indices, so no catalogue is needed to read one.
"""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

from engine.errors import Problem, WorkflowError
from engine.graph.wording import describe
from engine.graph.workflow import InputValue, Link, Workflow, WorkflowNode

_EXPORT = "export it in API format (in ComfyUI: Workflow > Export (API)) and use that file"


def is_prompt(value: dict[str, JsonValue]) -> bool:
    """Whether a JSON object is in API format: at least one of its values has a `class_type`."""
    return any(isinstance(each, dict) and "class_type" in each for each in value.values())


def unwrapped(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The prompt inside the body of a `POST /prompt`, or the value itself."""
    inner = value.get("prompt")
    return inner if isinstance(inner, dict) and "class_type" not in inner else value


def ui_format_problem() -> Problem:
    """What to say of a file that ComfyUI's "Save" writes, which holds values by position and not by name."""
    return Problem(
        "ui_format",
        "This file is in ComfyUI's editor format, which cannot be read without the catalogue of nodes.",
        wanted="a Darkroom workflow, or ComfyUI's API format",
        got='an object whose "nodes" is a list',
        fix=_EXPORT,
    )


def read_prompt(prompt: dict[str, JsonValue]) -> Workflow:
    """Read a prompt in API format.

    Raises:
        WorkflowError: with every problem: `wrong_shape`, `missing_key`, `bad_link`.
    """
    problems: list[Problem] = []
    nodes = {id: node for id, raw in prompt.items() if (node := _node(id, raw, problems)) is not None}
    if problems:
        raise WorkflowError(problems)
    return Workflow(origin="comfyui", nodes=nodes)


def _node(id: str, raw: JsonValue, problems: list[Problem]) -> WorkflowNode | None:
    if not isinstance(raw, dict):
        problems.append(
            Problem(
                "wrong_shape",
                "This is not a node.",
                id,
                wanted="an object",
                got=describe(raw),
                fix="remove or correct it",
            )
        )
        return None
    node_type, inputs = raw.get("class_type"), raw.get("inputs", {})
    if not isinstance(node_type, str) or not node_type:
        problems.append(
            Problem(
                "missing_key",
                "The node does not say what it is.",
                id,
                wanted="`class_type` with a node's name",
                got=describe(node_type),
                fix="add its `class_type`",
            )
        )
        return None
    if not isinstance(inputs, dict):
        problems.append(
            Problem(
                "wrong_shape",
                "`inputs` must be an object.",
                id,
                wanted="an object",
                got=describe(inputs),
                fix="correct it",
            )
        )
        return None
    meta = raw.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    read = {name: _input(id, name, value, problems) for name, value in inputs.items()}
    if isinstance(title, str):
        return WorkflowNode.model_construct({"type", "title", "inputs"}, type=node_type, title=title, inputs=read)
    return WorkflowNode.model_construct({"type", "inputs"}, type=node_type, inputs=read)


def _input(id: str, name: str, value: JsonValue, problems: list[Problem]) -> InputValue:
    match value:
        case [str() | int() as node, int() | float() as slot] if (
            not isinstance(node, bool) and not isinstance(slot, bool) and slot == int(slot)
        ):
            return Link(str(node), int(slot))
        case list():
            problems.append(
                Problem(
                    "bad_link",
                    "An array is a link here, and this is not one.",
                    id,
                    name,
                    wanted="[node id, output index]",
                    got=describe(value),
                    fix='write a link, or wrap a literal list as {"__value__": [...]}',
                )
            )
            return None
        case {"__value__": inner, **rest} if not rest:
            return cast(JsonValue, inner)
        case _:
            return value
