"""Workflows in and out: from a file, text or JSON value, of either format, and back to stable, pretty text."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import Problem, WorkflowError
from engine.graph import comfy, comfy_ui
from engine.graph.a1111 import read_parameters
from engine.graph.comfy_ui import Schemas
from engine.graph.reading import PNG_SIGNATURE, Limits, Texts, check_json, read_file, read_json, read_png, refuse
from engine.graph.wording import MAX_PROBLEMS, describe
from engine.graph.workflow import FORMAT, NODE_ID, Workflow

LINE_LENGTH = 100
"""Objects and lists that fit into a line of this length are written on one."""

_OPEN_LEVELS = {"nodes": 3, "layout": 2, "subgraphs": 3, "form": 1}
"""How many levels of a part are always written over several lines."""

# One encoder for all: json.dumps makes a new one for each call with such options, which doubles the time.
_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


Notice = Callable[[Problem], None]
"""Told what was not certain about a workflow that could be read all the same."""


def load(
    path: Path, limits: Limits | None = None, schemas: Schemas | None = None, notice: Notice | None = None
) -> Workflow:
    """Read a workflow file of any format: see `from_json`; or a PNG that carries one of them.

    Raises:
        WorkflowError: every problem found.
    """
    reader = _Reader(limits or Limits(), schemas, notice)
    found = read_file(path, limits)
    return reader.texts(found) if isinstance(found, Texts) else reader.value(found)


def loads(
    data: bytes | str, limits: Limits | None = None, schemas: Schemas | None = None, notice: Notice | None = None
) -> Workflow:
    """Read a workflow from JSON text, or from the bytes of a PNG.

    Raises:
        WorkflowError: every problem found.
    """
    reader = _Reader(limits or Limits(), schemas, notice)
    if isinstance(data, bytes) and data.startswith(PNG_SIGNATURE):
        return reader.texts(read_png(io.BytesIO(data), limits))
    return reader.value(read_json(data, limits))


def from_json(
    value: JsonValue, limits: Limits | None = None, schemas: Schemas | None = None, notice: Notice | None = None
) -> Workflow:
    """Read a workflow from a JSON value, telling the formats apart by their shape: Darkroom's own, ComfyUI's API format
    and, where `schemas` are at hand, what ComfyUI's editor saves.

    Args:
        schemas: the catalogue, which names the values that ComfyUI's editor writes by position.
        notice: told what in such a file was not certain.

    Raises:
        WorkflowError: every problem found: `not_a_workflow`, `ui_format`, `newer_format`, `too_many_nodes`,
            `bad_node_id`, `missing_key`, `wrong_shape`, `bad_link`, or one of `check_json`.
    """
    check_json(value, limits)
    return _Reader(limits or Limits(), schemas, notice).value(value)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one workflow of whatever format."""

    limits: Limits
    schemas: Schemas | None
    notice: Notice | None

    def value(self, value: JsonValue) -> Workflow:
        if not isinstance(value, dict):
            refuse("not_a_workflow", "This JSON is not a workflow.", wanted="an object", fix="give a workflow's JSON")
        if "darkroom" in value:
            self._check_size(_count_nodes(value))
            return _read_darkroom(value)
        if comfy_ui.is_ui(value):
            return self._ui(value, {})
        prompt = comfy.unwrapped(value)
        if comfy_ui.is_ui(prompt):
            return self._ui(prompt, {})
        if comfy.is_prompt(prompt):
            self._check_size(len(prompt))
            return comfy.read_prompt(prompt)
        refuse(
            "not_a_workflow",
            "This JSON object is not a workflow.",
            wanted=f'"darkroom": {FORMAT} with "nodes", or a workflow of ComfyUI',
            got=f"the keys {', '.join(list(value)[:5])}" if value else "an empty object",
            fix=f'add "darkroom": {FORMAT}' if "nodes" in value else "give a workflow's JSON",
        )

    def texts(self, texts: Texts) -> Workflow:
        """A picture's workflow: the document if it can be read here, which has the layout too, else the prompt."""
        workflow, prompt = texts.workflow, texts.prompt
        if workflow is None and prompt is None:
            return self._doubted(*read_parameters(texts.parameters or ""))
        if isinstance(workflow, dict) and "darkroom" not in workflow and prompt is not None:
            if self.schemas is None or not comfy_ui.is_ui(workflow):
                return self.value(prompt)
            return self._ui(workflow, comfy.unwrapped(prompt) if isinstance(prompt, dict) else {})
        return self.value(prompt if workflow is None else workflow)

    def _ui(self, value: dict[str, JsonValue], prompt: dict[str, JsonValue]) -> Workflow:
        if self.schemas is None:
            raise WorkflowError([comfy.ui_format_problem()])
        self._check_size(comfy_ui.count_nodes(value))
        return self._doubted(*comfy_ui.read_ui(value, self.schemas, prompt))

    def _doubted(self, document: dict[str, JsonValue], problems: Iterable[Problem]) -> Workflow:
        """A document made from another form, after telling what was not certain about it."""
        workflow = _read_darkroom(document)
        if self.notice is not None:
            for problem in problems:
                self.notice(problem)
        return workflow

    def _check_size(self, count: int) -> None:
        if count > self.limits.nodes:
            refuse(
                "too_many_nodes",
                f"The workflow has {count:,} nodes.",
                wanted=f"at most {self.limits.nodes:,}",
                fix="split it into several workflows",
            )


def to_json(workflow: Workflow) -> dict[str, JsonValue]:
    """The document as JSON values, holding what was given and no defaults."""
    return {"darkroom": FORMAT, **workflow.model_dump(exclude_unset=True, by_alias=True)}


def dumps(workflow: Workflow) -> str:
    """Write a workflow for people and for version control: stable order, a line per input, a newline at the end.

    Reading and writing again gives the same bytes.
    """
    lines = [
        f"  {_text(key)}: {_pretty(value, 2, open_levels=_OPEN_LEVELS.get(key, 0))}"
        for key, value in to_json(workflow).items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _pretty(value: JsonValue, indent: int, open_levels: int) -> str:
    """Write a value: the outer `open_levels` always over several lines, deeper ones on one line where they fit."""
    if not isinstance(value, dict | list) or not value:
        return _text(value)
    if open_levels <= 0 and len(line := _text(value)) + indent <= LINE_LENGTH:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{inner}{_text(key)}: {_pretty(each, indent + 2, open_levels - 1)}" for key, each in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    parts = [inner + _pretty(each, indent + 2, open_levels - 1) for each in value]
    return "[\n" + ",\n".join(parts) + "\n" + " " * indent + "]"


def _count_nodes(value: dict[str, JsonValue]) -> int:
    """The nodes of a document, those in its subgraphs once each."""
    subgraphs = value.get("subgraphs")
    places: list[JsonValue] = [value, *subgraphs.values()] if isinstance(subgraphs, dict) else [value]
    held = [each.get("nodes") for each in places if isinstance(each, dict)]
    return sum(len(nodes) for nodes in held if isinstance(nodes, dict))


def _read_darkroom(value: dict[str, JsonValue]) -> Workflow:
    version = value["darkroom"]
    if isinstance(version, int) and version > FORMAT:
        refuse(
            "newer_format",
            f"This file is of format {version}, made by a newer Darkroom.",
            wanted=f"format {FORMAT}",
            got=str(version),
            fix="update Darkroom",
        )
    try:
        workflow = Workflow.model_validate(value)
    except ValidationError as error:
        raise WorkflowError([_problem(each) for each in error.errors(include_url=False)[:MAX_PROBLEMS]]) from error
    if workflow.origin == "darkroom":
        ids = [*workflow.nodes, *(id for each in workflow.subgraphs.values() for id in each.nodes)]
        problems = [_bad_id(id) for id in ids if not NODE_ID.fullmatch(id)]
        if problems:
            raise WorkflowError(problems)
    return workflow


def _bad_id(id: str) -> Problem:
    return Problem(
        "bad_node_id",
        f"A node cannot be called {_text(id)}.",
        id,
        wanted="letters, digits, _, - and :",
        got=id,
        fix="rename the node",
    )


def _problem(error: ErrorDetails) -> Problem:
    """One of pydantic's complaints as a problem, located at its node and input."""
    place = [str(part) for part in error["loc"]]
    node = place[1] if len(place) > 1 and place[0] == "nodes" else None
    input = place[3] if len(place) > 3 and node and place[2] == "inputs" else None
    key = ".".join(place[2:] if node else place)
    if error["type"] == "missing":
        return Problem(
            "missing_key",
            f"`{key}` is missing.",
            node,
            input,
            wanted=f"the key `{place[-1]}`",
            fix=f"add `{place[-1]}`",
        )
    if error["type"] == "value_error":  # ours, from `read_input`
        sentence = error["msg"].removeprefix("Value error, ")
        where = "" if node else f"`{key}`: "
        return Problem(
            "bad_input", f"{where}{sentence[0].upper()}{sentence[1:]}.", node, input, fix="correct the value"
        )
    wanted = error["msg"].replace("Input should be ", "")
    what = f"`{key}`" if key else "This"
    return Problem(
        "wrong_shape",
        f"{what} should be {wanted}.",
        node,
        input,
        wanted=wanted,
        got=describe(error["input"]),
        fix="correct it",
    )
