"""Node expansion: a node answers with a subgraph, which is checked, keyed and run in the node's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, cast

from pydantic import JsonValue

from engine.errors import InputProblem, WorkflowError
from engine.graph.graph import Graph, GraphNode, Source
from engine.graph.workflow import InputValue, Workflow, WorkflowNode
from engine.graph.workflow import Link as WorkflowLink
from engine.node.results import Expansion, Link
from engine.node.schema import InputSchema, NodeSchema, OutputSchema
from engine.run.disk_cache import is_json
from engine.run.equipment import Equipment
from engine.run.outcome import Outcome, Record
from engine.run.work import Feed, Scope, State, Work

MAX_DEPTH = 1_000
"""An expansion inside an expansion inside ...: deeper than this it does not end."""
HANDED = NodeSchema(
    name="Value",
    title="Value",
    version=1,
    category="",
    help="A value that an expansion hands to its nodes.",
    inputs=(),
    outputs=(OutputSchema(name="value", type="*"),),
)


def open_scope(equipment: Equipment, parent: Work, call: int, expansion: Expansion) -> tuple[Scope, dict[int, Source]]:
    """Build the graph a node expanded to.

    Args:
        parent: the node, `call` which of its calls it was.

    Returns:
        The scope, and for the node's outputs that are links where they lead; its other outputs are values.

    Raises:
        InputProblem: the subgraph cannot run, with every reason, or expansions never end.
    """
    if parent.scope.depth >= MAX_DEPTH:
        raise InputProblem(f"expanded {MAX_DEPTH} deep; a node must not expand to itself without end")
    values = _HandedValues(equipment, parent, call)
    nodes = {id: values.take_from(id, spec) for id, spec in expansion.prompt.items()}
    workflow = Workflow(origin="comfyui", nodes=nodes)
    links = {index: output for index, output in enumerate(expansion.outputs) if isinstance(output, Link)}
    try:
        for link in links.values():
            if link.node not in nodes:
                raise InputProblem(f"expanded to an output of '{link.node}', which is not in the expansion")
        wanted = list(dict.fromkeys(link.node for link in links.values()))
        outer = Graph(values.nodes, ())
        graph = equipment.build(workflow, wanted, outer)
    except WorkflowError as error:
        raise InputProblem(f"expanded to a graph that cannot run:\n{error}") from error
    scope = Scope(
        graph, {**equipment.keys(graph, values.keys), **values.keys}, parent, parent.shown_as, parent.scope.depth + 1
    )
    for id, value in values.values.items():
        scope.works[id] = work = Work(values.nodes[id], values.keys[id], scope, State.DONE)
        work.outcome = Outcome(Record(HANDED.name, 0.0), ([value],))
        # Held until the parent ends, since nothing could make it again.
        work.uses += 1
        parent.feeds.append(Feed("", work, 0))
    return scope, {
        index: Source(link.node, _output(graph.nodes[link.node].schema, link)) for index, link in links.items()
    }


class _HandedValues:
    """Values that are not literals become links to nodes that stand outside the subgraph."""

    def __init__(self, equipment: Equipment, parent: Work, call: int) -> None:
        self.nodes: dict[str, GraphNode] = {}
        self.keys: dict[str, str] = {}
        self.values: dict[str, object] = {}
        self._equipment, self._parent, self._call = equipment, parent, call

    def take_from(self, id: str, spec: Mapping[str, object]) -> WorkflowNode:
        node_type = str(spec.get("class_type"))
        schema = self._equipment.schema(node_type)
        inputs: dict[str, InputValue] = {}
        for name, value in cast(Mapping[str, object], spec.get("inputs", {})).items():
            port = schema.input(name) if schema else None
            inputs[name] = self._input(f"{id}.{name}", value, port)
        return WorkflowNode(type=node_type, inputs=inputs)

    def _input(self, place: str, value: object, port: InputSchema | None) -> InputValue:
        if port is not None and port.variadic and isinstance(value, tuple | list):
            items = enumerate(cast(Sequence[object], value))
            return tuple(self._hand(f"{place}.{index}", each) for index, each in items)
        if isinstance(value, Link) or (port is not None and port.widget is None) or not is_json(value):
            return self._hand(place, value)
        return cast(JsonValue, value)

    def _hand(self, place: str, value: object) -> WorkflowLink:
        if isinstance(value, Link):
            return WorkflowLink(value.node, value.output)
        id = f"value of {place}"
        self.nodes[id] = GraphNode(id, HANDED, {}, {})
        self.values[id] = value
        self.keys[id] = self._key(place, value)
        return WorkflowLink(id, 0)

    def _key(self, place: str, value: object) -> str:
        """A key for the value: where it came in, so that results are shared between expansions; else its content; else
        its place, which the parent's key determines."""
        for feed in self._parent.feeds:
            outcome = feed.work.outcome
            outputs: list[Any] = list(outcome.outputs[feed.output]) if outcome and feed.name else []
            for index, each in enumerate(outputs):
                if each is value:
                    return _hash("input", feed.work.key, feed.output, index)
        digest = self._equipment.codec.digest(value)
        return _hash("content", digest) if digest else _hash("place", self._parent.key, self._call, place)


def _output(schema: NodeSchema, link: Link) -> int:
    index = link.output if isinstance(link.output, int) else schema.output_index(link.output)
    if index is None or not 0 <= index < len(schema.outputs):
        raise InputProblem(f"expanded to output {link.output!r} of '{link.node}', which {schema.name} does not have")
    return index


def _hash(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=20).hexdigest()
