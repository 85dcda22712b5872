"""Why a prompt is refused, in ComfyUI's words: an error for the whole, and errors for each node.

ComfyUI runs what can run: an output whose nodes have problems is dropped, and only when none is left is the prompt
refused. So this also says which outputs are free of problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from engine.errors import Problem
from engine.http.comfy.object_info import describe_input
from engine.node.catalogue import Catalogue
from engine.node.schema import NodeSchema

Prompt = Mapping[str, JsonValue]
MESSAGES = {
    "required_input_missing": "Required input is missing",
    "bad_linked_input": "Bad linked input, must be a length-2 list of [node_id, slot_index]",
    "return_type_mismatch": "Return type mismatch between linked nodes",
    "value_smaller_than_min": "Value {got} smaller than min of {limit}",
    "value_bigger_than_max": "Value {got} bigger than max of {limit}",
    "value_not_in_list": "Value not in list",
    "dependency_cycle": "Dependency cycle detected",
    "exception_during_validation": "Exception when validating node",
    "custom_validation_failed": "Custom validation failed for node",
}
TYPES = {
    "missing_input": "required_input_missing",
    "bad_link": "bad_linked_input",
    "link_type": "return_type_mismatch",
    "wrong_kind": "invalid_input_type",
    "not_in_options": "value_not_in_list",
    "file_problem": "value_not_in_list",
    "cycle": "dependency_cycle",
    "dangling_link": "exception_during_validation",
    "unknown_output": "exception_during_validation",
}
"""ComfyUI's types by our codes; what is not here is `custom_validation_failed`."""


@dataclass(frozen=True)
class Refusal:
    """`error`: for the whole prompt; `node_errors`: by node; `survivors`: outputs that can run."""

    error: dict[str, JsonValue]
    node_errors: dict[str, JsonValue]
    survivors: tuple[str, ...]


def refuse(problems: Sequence[Problem], prompt: Prompt, wanted: Sequence[str] | None, catalogue: Catalogue) -> Refusal:
    """Say why a prompt is refused.

    Args:
        wanted: ids of the outputs that were asked for; None for all.
    """
    outputs = [id for id in _outputs(prompt, catalogue) if wanted is None or id in wanted]
    unknown = next((problem for problem in problems if problem.code in ("unknown_node", "missing_key")), None)
    if unknown is not None:
        class_type = _class_type(prompt, unknown.node)
        message = (
            f"Cannot execute because node {class_type} does not exist."
            if unknown.code == "unknown_node"
            else "Cannot execute because a node is missing the class_type property."
        )
        return Refusal(_error("invalid_prompt", message, f"Node ID '#{unknown.node}'"), {}, ())
    if not outputs:
        return Refusal(_error("prompt_no_outputs", "Prompt has no outputs", ""), {}, ())
    broken = {problem.node for problem in problems if problem.node is not None}
    needs = {output: _upstream(prompt, output) for output in outputs}
    node_errors: dict[str, JsonValue] = {}
    for id in sorted(broken):
        dependent = [output for output in outputs if id in needs[output]]
        errors = [_node_error(each, prompt, catalogue) for each in problems if each.node == id]
        node_errors[id] = {
            "errors": list[JsonValue](errors),
            "dependent_outputs": list[JsonValue](dependent),
            "class_type": _class_type(prompt, id),
        }
    general = any(problem.node is None for problem in problems)
    survivors = () if general else tuple(output for output in outputs if not needs[output] & broken)
    first = next((problem for problem in problems if problem.node is not None), problems[0])
    told = _node_error(first, prompt, catalogue)
    details = ": ".join(str(told[key]) for key in ("message", "details") if told[key])
    error = _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)
    return Refusal(error, node_errors, survivors)


def _error(kind: str, message: str, details: str) -> dict[str, JsonValue]:
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def _node_error(problem: Problem, prompt: Prompt, catalogue: Catalogue) -> dict[str, JsonValue]:
    schema = catalogue.get(_class_type(prompt, problem.node))
    name = problem.input or ""
    value = _inputs(prompt, problem.node).get(name)
    kind = TYPES.get(problem.code, "custom_validation_failed")
    extra: dict[str, JsonValue] = {"input_name": name} if name else {}
    input_type, config = _config(schema, name)
    if config is not None and kind != "required_input_missing":
        extra["input_config"] = config
    details = name
    message = MESSAGES.get(kind, "")
    match kind:
        case "required_input_missing" | "dependency_cycle":
            details = name or (problem.got or "")
        case "return_type_mismatch":
            received = _output_type(value, prompt, catalogue)
            details = f"{name}, received_type({received}) mismatch input_type({input_type})"
            extra |= {"received_type": received, "linked_node": value}
        case "invalid_input_type":
            message = f"Failed to convert an input value to a {input_type} value"
            details = f"{name}, {value}, {problem.message}"
            extra |= {"received_value": value, "exception_message": problem.message}
        case "value_not_in_list":
            details = f"{name}: '{value}' not in {_options(config)}"
            extra["received_value"] = value
        case _ if problem.code == "value_out_of_range":
            kind, message = _out_of_range(value, schema, name)
            extra["received_value"] = value
        case _:
            details = f"{name} - {problem}" if name else str(problem)
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def _out_of_range(value: JsonValue, schema: NodeSchema | None, name: str) -> tuple[str, str]:
    wanted = schema.input(name) if schema else None
    try:
        number = float(cast(str, value))
    except (TypeError, ValueError):
        number = 0.0
    if wanted is not None and wanted.minimum is not None and number < wanted.minimum:
        kind, limit = "value_smaller_than_min", wanted.minimum
    elif wanted is not None and wanted.maximum is not None and number > wanted.maximum:
        kind, limit = "value_bigger_than_max", wanted.maximum
    else:
        return "custom_validation_failed", MESSAGES["custom_validation_failed"]
    return kind, MESSAGES[kind].format(got=value, limit=limit)


def _config(schema: NodeSchema | None, name: str) -> tuple[str, JsonValue]:
    """Type and configuration of an input, as in `/object_info`. Lists of files are left out: they may be long."""
    wanted = schema.input(name) if schema else None
    return ("*", None) if wanted is None else (wanted.type, describe_input(wanted, lambda folder: []))


def _options(config: JsonValue) -> str:
    """The choices, where they are few."""
    if isinstance(config, list) and isinstance(config[0], list) and 0 < len(config[0]) <= 20:
        return str(config[0])
    return "the list"


def _outputs(prompt: Prompt, catalogue: Catalogue) -> Iterable[str]:
    for id in prompt:
        schema = catalogue.get(_class_type(prompt, id))
        if schema is not None and schema.output:
            yield id


def _upstream(prompt: Prompt, output: str) -> set[str]:
    """The node and everything it needs."""
    found: set[str] = set()
    stack = [output]
    while stack:
        id = stack.pop()
        if id not in found:
            found.add(id)
            stack += [str(value[0]) for value in _inputs(prompt, id).values() if isinstance(value, list) and value]
    return found


def _output_type(link: JsonValue, prompt: Prompt, catalogue: Catalogue) -> str:
    match link:
        case [str() | int() as id, int() as slot]:
            schema = catalogue.get(_class_type(prompt, str(id)))
            return schema.outputs[slot].type if schema and 0 <= slot < len(schema.outputs) else "*"
        case _:
            return "*"


def _class_type(prompt: Prompt, id: str | None) -> str:
    node = prompt.get(id or "")
    class_type = node.get("class_type") if isinstance(node, dict) else None
    return class_type if isinstance(class_type, str) else ""


def _inputs(prompt: Prompt, id: str | None) -> dict[str, JsonValue]:
    node = prompt.get(id or "")
    inputs = node.get("inputs") if isinstance(node, dict) else None
    return inputs if isinstance(inputs, dict) else {}
