"""A graph: a prompt that was validated against a catalogue. Acyclic, typed, complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from engine.node.schema import NodeSchema


@dataclass(frozen=True, slots=True)
class Source:
    """The output that a link starts at."""

    node: str
    output: int


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node ready to run: its literals are validated and defaulted, its links resolved to output indices.

    A variadic input `images` has the links `images.0`, `images.1`, ... `frozen` is the cache key of a result to use
    instead of computing one, if it is there.
    """

    id: str
    schema: NodeSchema
    literals: Mapping[str, JsonValue]
    links: Mapping[str, Source]
    frozen: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by id, in topological order (`nodes` iterates sources first), and the ids of the output nodes to run."""

    nodes: Mapping[str, GraphNode]
    outputs: tuple[str, ...]
