"""What became of a run, as JSON for scripts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from engine.errors import Problem, WorkflowError
from engine.graph.workflow import Workflow, WorkflowNode, find_node
from engine.run.result import RunResult

Report = dict[str, JsonValue]


def report_run(result: RunResult, workflow: Workflow, output: Path) -> Report:
    """Describe a run that took place.

    Args:
        output: the folder that paths which output nodes show are relative to.
    """
    return {
        "status": result.status,
        "seconds": round(result.seconds, 6),
        "outputs": [
            {**shown, "node": node, "path": str(output / cast(str, shown["path"]))}
            for node, shown in shown_files(result, workflow)
        ],
        "nodes": {
            id: {
                "type": _node(workflow, id).type,
                "state": node.state,
                "cached": node.state == "cached",
                "seconds": round(node.seconds, 6),
                **({"reason": node.reason} if node.reason else {}),
            }
            for id, node in result.nodes.items()
        },
        "peak_memory_bytes": peak_memory_bytes(),
        "errors": [
            {"node": error.node, "type": error.node_type, "input": error.input, "message": error.reason}
            for error in result.errors
        ],
    }


def report_refusal(error: Exception) -> Report:
    """Describe a run that did not begin."""
    problems = error.problems if isinstance(error, WorkflowError) else [Problem("error", str(error))]
    return {
        "status": "refused",
        "seconds": 0.0,
        "outputs": [],
        "nodes": {},
        "peak_memory_bytes": peak_memory_bytes(),
        "errors": [cast(JsonValue, problem.to_json()) for problem in problems],
    }


def shown_files(result: RunResult, workflow: Workflow) -> Sequence[tuple[str, dict[str, JsonValue]]]:
    """Every file that an output node shows, with the node's id, in the order of the workflow."""
    places = {id: place for place, id in enumerate(workflow.nodes)}
    ordered = sorted(result.ui, key=lambda id: (places[_found(workflow, id)[0]], id))
    return [
        (node, entry)
        for node in ordered
        for entries in result.ui[node].values()
        if isinstance(entries, list)
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("path"), str)
    ]


def _found(workflow: Workflow, id: str) -> tuple[str, str, WorkflowNode]:
    found = find_node(workflow, id)
    if found is None:
        raise KeyError(f"'{id}' is no node of this workflow")
    return found


def _node(workflow: Workflow, id: str) -> WorkflowNode:
    return workflow.nodes.get(id) or _found(workflow, id)[2]


def peak_memory_bytes() -> dict[str, JsonValue]:
    """The most memory this process has held: `process` (None on Windows), and `device` where CUDA was used."""
    peak: dict[str, JsonValue] = {"process": None}
    if sys.platform != "win32":
        import resource

        unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): kilobytes on Linux, bytes on macOS
        peak["process"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    torch: Any = sys.modules.get("torch")  # not imported for this: a run that never needed it used no device
    if torch is not None and torch.cuda.is_initialized():
        peak["device"] = torch.cuda.max_memory_allocated()
    return peak
