"""What all runs of an engine share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.graph.graph import Graph
from engine.graph.workflow import Workflow
from engine.node.context import Services
from engine.node.folders import Folders
from engine.node.node_type import NodeType
from engine.node.schema import NodeSchema
from engine.run.cache import Cache
from engine.run.calls import Guard
from engine.run.flights import Flights
from engine.run.lanes import Lanes
from engine.run.outcome import Codec


class BuildExpansion(Protocol):
    def __call__(self, workflow: Workflow, outputs: Sequence[str], outer: Graph) -> Graph:
        """Build what some nodes and all output nodes of a subgraph need; its links may also start in the outer graph.

        Raises:
            WorkflowError: with all problems.
        """
        ...


@dataclass(frozen=True, slots=True)
class Equipment:
    """Made once by the engine; a run changes none of it but the cache's content."""

    types: Callable[[str], NodeType]
    """Loads a node's code; called only for nodes that run."""
    schema: Callable[[str], NodeSchema | None]
    build: BuildExpansion
    keys: Callable[[Graph, Mapping[str, str]], Mapping[str, str]]
    """The content keys of a subgraph, given those of the outer graph's nodes."""
    cache: Cache
    codec: Codec
    flights: Flights
    lanes: Lanes
    folders: Folders
    services: Services
    guard: Guard | None
    verify_share: float
    """Share of the cache's hits that each run computes again to compare."""
