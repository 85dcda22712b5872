"""From what a run says in its process to what goes over the wire: files become references, errors become problems."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from engine.errors import NodeFailed, Problem, WorkflowError
from engine.node.folders import Folders
from engine.run.events import Event, NodeErrored, NodeFinished, NodeProgress, NodeSkipped, NodeStarted, RunStarted

Wire = dict[str, JsonValue]


def to_wire(event: Event, folders: Folders) -> Wire | None:
    """A run's event as JSON, see `engine.jobs.events.RunEvent`; None for those that are told in another way."""
    match event:
        case RunStarted():
            shapes: Wire = {node: list(each) for node, each in event.shapes.items()}
            return {"type": "run_started", "nodes": list(event.nodes), "cached": list(event.cached), "shapes": shapes}
        case NodeStarted():
            return {"type": "node_started", "node": event.node, "node_type": event.node_type}
        case NodeProgress():
            where: Wire = {"type": "node_progress", "node": event.node, "step": event.step, "total": event.total}
            return {**where, "text": _clean(event.text)}
        case NodeFinished():
            told: Wire = {"type": "node_finished", "node": event.node, "cached": event.cached, "key": event.key}
            return {**told, "seconds": event.seconds, "ui": shown(event.ui, folders), "shapes": list(event.shapes)}
        case NodeErrored():
            problem: Wire = dict(problem_of(event.error, event.node).to_json())
            return {"type": "node_errored", "node": event.node, "node_type": event.node_type, "problem": problem}
        case NodeSkipped():
            return {"type": "node_skipped", "node": event.node, "reason": _clean(event.reason)}
        case _:
            return None


def shown(ui: Mapping[str, JsonValue], folders: Folders) -> Wire:
    """What a node shows, with its files as the browser can ask for them: no path of this machine leaves the worker."""
    return {name: _shown(value, folders) for name, value in ui.items()}


def problem_of(error: BaseException, node: str | None = None) -> Problem:
    """Why a node failed."""
    if isinstance(error, NodeFailed):
        return Problem("node_failed", _sentence(error.reason), error.node, error.input)
    return Problem("node_failed", _sentence(str(error) or type(error).__name__), node)


def problems_of(error: BaseException) -> tuple[Problem, ...]:
    """Why a job failed that did not get as far as its nodes."""
    if isinstance(error, WorkflowError):
        return error.problems
    return (problem_of(error),)


def _sentence(text: str) -> str:
    text = _clean(text)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _clean(text: str) -> str:
    """Text that can be sent: a node may show half a surrogate pair, from a file name for example."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _shown(value: JsonValue, folders: Folders) -> JsonValue:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return [_shown(each, folders) for each in value]
    if isinstance(value, dict):
        entry = {_clean(name): _shown(each, folders) for name, each in value.items()}
        path = entry.pop("path", None)
        if isinstance(path, str):
            return {**_reference(path, folders), **entry}
        return entry if path is None else {"path": path, **entry}
    return value


def _reference(path: str, folders: Folders) -> Wire:
    """The file that a node names by a path, absolute or relative to the output folder."""
    file = folders.output / path
    for kind, root in ((each, root) for each in ("output", "temp", "input") for root in folders.roots(each)):
        if file.is_relative_to(root):
            subfolder = file.relative_to(root).parent.as_posix()
            return {
                "filename": _clean(file.name),
                "subfolder": _clean("" if subfolder == "." else subfolder),
                "type": kind,
            }
    return {"filename": _clean(file.name), "subfolder": "", "type": None}
