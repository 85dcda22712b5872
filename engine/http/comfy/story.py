"""What is told of a job, in ComfyUI's words: one of our events becomes none, one or several of its messages.

Usual order: `execution_start`, `execution_cached`, then for each node `progress_state`, `executing`, (`progress`,
`progress_state`)*, `executed`, `progress_state`, and at the end `execution_success` and `executing` without a node,
which is what clients wait for.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from engine.errors import Problem
from engine.jobs.events import (
    Event,
    JobFinished,
    JobNodeErrored,
    JobNodeFinished,
    JobNodeProgress,
    JobNodeStarted,
    JobRunStarted,
)

Data = dict[str, JsonValue]
Message = tuple[str, Data]
"""Its type and its data."""


class JobStory:
    """Tells one job. It remembers which nodes have run, because some messages repeat them all.

    Args:
        job: the id, which is ComfyUI's `prompt_id`.
    """

    def __init__(self, job: str) -> None:
        self.job = job
        self._nodes: dict[str, JsonValue] = {}
        self._current: tuple[str, str] | None = None
        self._errored = False

    @property
    def current(self) -> str | None:
        """The node that began last."""
        return self._current[0] if self._current else None

    def tell(self, event: Event, at: float) -> list[Message]:
        """Give the messages for an event of this job.

        Args:
            at: when it happened, in seconds since 1970.
        """
        stamp = {"prompt_id": self.job, "timestamp": int(at * 1000)}
        match event:
            case JobRunStarted():
                self._nodes, self._current, self._errored = {}, None, False
                return [("execution_start", {**stamp}), ("execution_cached", {"nodes": [*event.cached], **stamp})]
            case JobNodeStarted(node=node):
                self._current = node, event.node_type
                executing: Data = {"node": node, "display_node": node, "prompt_id": self.job}
                return [self._state(node, "running", 0.0, 1.0), ("executing", executing)]
            case JobNodeProgress(node=node, step=step, total=total):
                progress: Data = {"value": step, "max": total, "prompt_id": self.job, "node": node}
                return [("progress", progress), self._state(node, "running", float(step), float(total))]
            case JobNodeFinished(node=node):
                told: list[Message] = []
                if event.ui:
                    shown: Data = {"node": node, "display_node": node, "output": {**event.ui}, "prompt_id": self.job}
                    told.append(("executed", shown))
                # What was cached is told of at the start; only what it shows comes again.
                return told if event.cached and not told else [*told, self._state(node, "finished", 1.0, 1.0)]
            case JobNodeErrored(node=node):
                if self._errored:  # its clients know of one error a job
                    return []
                return [self._state(node, "error", 1.0, 1.0), self._error(node, event.node_type, event.problem, stamp)]
            case JobFinished():
                return self._end(event, stamp)
            case _:
                return []

    def _end(self, event: JobFinished, stamp: Mapping[str, JsonValue]) -> list[Message]:
        told: list[Message] = []
        node, node_type = self._current or ("", "")
        if event.status == "done":
            told.append(("execution_success", {**stamp}))
        elif event.status == "cancelled":
            where: Data = {"node_id": node, "node_type": node_type, "executed": self._executed()}
            told.append(("execution_interrupted", {**where, **stamp}))
        elif not self._errored:
            problem = event.problems[0] if event.problems else Problem("failed", "The job failed.")
            told.append(self._error(problem.node or node, node_type, problem, stamp))
        return [*told, ("executing", {"node": None, "prompt_id": self.job})]

    def _error(self, node: str, node_type: str, problem: Problem, stamp: Mapping[str, JsonValue]) -> Message:
        self._errored = True
        return "execution_error", {
            "prompt_id": self.job,
            "node_id": node,
            "node_type": node_type,
            "executed": self._executed(),
            "exception_message": problem.message,
            "exception_type": problem.code,
            "traceback": [],
            "current_inputs": {},
            "current_outputs": [],
            "timestamp": stamp["timestamp"],
        }

    def _executed(self) -> JsonValue:
        return [node for node, state in self._nodes.items() if isinstance(state, dict) and state["state"] == "finished"]

    def _state(self, node: str, state: str, value: float, most: float) -> Message:
        self._nodes[node] = {
            "value": value,
            "max": most,
            "state": state,
            "node_id": node,
            "prompt_id": self.job,
            "display_node_id": node,
            "parent_node_id": None,
            "real_node_id": node,
        }
        return "progress_state", {"prompt_id": self.job, "nodes": {**self._nodes}}
