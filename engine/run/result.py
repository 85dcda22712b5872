"""How a run ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

from engine.errors import DarkroomError, NodeFailed
from engine.run.cache import Cache
from engine.run.outcome import Outcome

Status = Literal["done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What became of one node: `cached` (its result, or that of all that needs it, was known), `ran` (in `seconds`),
    `failed` or `skipped` (`reason` says why)."""

    state: Literal["cached", "ran", "failed", "skipped"]
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    status: Status
    seconds: float
    nodes: Mapping[str, NodeReport]
    ui: Mapping[str, Mapping[str, JsonValue]]
    """What each output node shows, by id."""
    errors: Sequence[NodeFailed]
    outcomes: Mapping[str, Outcome]
    """Of the requested nodes that ran."""
    keys: Mapping[str, str]
    cache: Cache

    def raise_errors(self) -> RunResult:
        """Raise the first error, if a node failed; its notes hold the others."""
        if self.errors:
            for other in self.errors[1:]:
                self.errors[0].add_note(str(other))
            raise self.errors[0]
        return self

    def values(self, node: str, output: int = 0) -> Sequence[Any]:
        """The list on an output of a requested node; loaded only now if the run found it in the cache.

        Raises:
            DarkroomError: there is none: the node did not run, or its result has left the cache.
        """
        outcome = self.outcomes.get(node) or (self.cache.load(self.keys[node]) if node in self.keys else None)
        if outcome is None:
            raise DarkroomError(f"there is no value of '{node}'; ask for it as an output of the run")
        return outcome.outputs[output]

    def value(self, node: str, output: int = 0) -> Any:
        """The only value on an output of a requested node.

        Raises:
            DarkroomError: there is none, or it is a list of several.
        """
        values = self.values(node, output)
        if len(values) != 1:
            raise DarkroomError(f"output {output} of '{node}' is a list of {len(values)}; use `values`")
        return values[0]
