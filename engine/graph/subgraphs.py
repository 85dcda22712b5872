"""Subgraphs taken apart: every instance is replaced by the nodes of its definition, before anything is checked or run.

The inner node `decode` of the instance `portrait` becomes the node `portrait:decode`, and so on inwards. What an
instance's inputs are given replaces what the inner nodes say; links to its outputs lead to the inner nodes. Besides its
declared inputs an instance may set any input inside by its path: `"sampler.seed": 3`, `"inner:sampler.seed": 3`.

An instance that is muted or bypassed stays one node, whose schema is drawn up from what its inputs and outputs lead to,
so that muting and bypassing mean what they mean for any node. Nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.errors import Problem
from engine.graph.reading import Limits
from engine.graph.wording import either, nearest, shorten
from engine.graph.workflow import (
    SUBGRAPH,
    InputValue,
    Link,
    Subgraph,
    Workflow,
    WorkflowNode,
    read_output,
    subgraph_key,
)
from engine.node.schema import InputSchema, NodeSchema, OutputSchema

MAX_DEPTH = 32
"""Instances inside of instances, at most."""

Place = tuple[str, str]
"""A node's id and the name of one of its inputs or outputs."""


class Schemas(Protocol):
    """What taking apart asks of a catalogue."""

    def get(self, name: str) -> NodeSchema | None:
        """The schema of a node type, also by an alias."""
        ...


@dataclass(slots=True)
class Flat:
    """A workflow's nodes without subgraphs.

    `nodes` also holds the instances that were not taken apart: muted and bypassed ones, and the `refused`.
    """

    subgraphs: Mapping[str, Subgraph]
    nodes: dict[str, WorkflowNode] = field(default_factory=dict[str, WorkflowNode])
    order: list[str] = field(default_factory=list[str])
    """Ids of all nodes and instances as the document has them, what is inside an instance behind it."""
    interfaces: dict[str, NodeSchema] = field(default_factory=dict[str, NodeSchema])
    """What instances look like from outside, by type."""
    expanded: dict[str, str] = field(default_factory=dict[str, str])
    """The instances that were taken apart, with their types."""
    refused: dict[str, Problem] = field(default_factory=dict[str, Problem])
    """Why an instance cannot be taken apart; told when something needs it."""
    problems: list[tuple[str, Problem]] = field(default_factory=list[tuple[str, Problem]])
    """What else is wrong with an instance, by its id."""
    given: dict[Place, Place] = field(default_factory=dict[Place, Place])
    """By inner input: the input of the instance that its value comes from."""
    open: dict[Place, Place] = field(default_factory=dict[Place, Place])
    """By inner input: the input of the instance that its value would come from."""

    def shown(self, problem: Problem) -> Problem:
        """A problem at the place where the user can mend it: the input of the instance that gave the bad value."""
        if problem.node is None or problem.input is None:
            return problem
        place = self._outermost(problem.node, problem.input, problem.code == "missing_input")
        return Problem(problem.code, problem.message, *place, problem.wanted, problem.got, problem.fix)

    def _outermost(self, node: str, input: str, missing: bool) -> Place:
        place = (node, input)
        while (outer := self.given.get(place) or (self.open.get(place) if missing else None)) is not None:
            place = outer
        return place

    def targets(self, instance: str, schemas: Schemas) -> list[str]:
        """What running an instance means: its output nodes, and those its outputs come from."""
        inside = [id for id in self.nodes if id.startswith(f"{instance}:")]
        effects = [id for id in inside if (found := schemas.get(self.nodes[id].type)) is not None and found.output]
        count = len(self._definition(instance).outputs)
        sources = (self.follow(Link(instance, index)).node for index in range(count))
        return list(dict.fromkeys([*effects, *(id for id in sources if id in self.nodes)]))

    def follow(self, link: Link) -> Link:
        """The output of an inner node that an output of an instance is."""
        while link.node in self.expanded:
            definition = self._definition(link.node)
            index = _index(definition, link.output)
            if index is None:
                break
            node, _, output = definition.outputs[index].source.partition(".")
            link = Link(f"{link.node}:{node}", read_output(output))
        return link

    def interface_of(self, id: str) -> NodeSchema | None:
        """What an instance that was taken apart looks like from outside."""
        return self.interfaces[self.expanded[id]] if id in self.expanded else None

    def _definition(self, id: str) -> Subgraph:
        return self.subgraphs[self.expanded[id].removeprefix(SUBGRAPH)]


def flatten(workflow: Workflow, schemas: Schemas, limits: Limits | None = None) -> Flat:
    """Take all subgraphs of a workflow apart; instances that would make more nodes than allowed are refused."""
    max_nodes = (limits or Limits()).nodes
    flat = Flat(workflow.subgraphs)
    stack: list[tuple[str, WorkflowNode, tuple[str, ...]]] = [
        (id, node, ()) for id, node in reversed(workflow.nodes.items())
    ]
    while stack:
        id, node, chain = stack.pop()
        key = subgraph_key(node.type)
        if id in flat.nodes or id in flat.expanded:
            flat.problems.append((id, _duplicate(id)))
            continue
        flat.order.append(id)
        definition = None if key is None else workflow.subgraphs.get(key)
        if key is None:
            flat.nodes[id] = node
            continue
        if definition is None:
            flat.nodes[id], flat.refused[id] = node, unknown_subgraph(id, key, workflow)
            continue
        if node.type not in flat.interfaces:
            flat.interfaces[node.type] = interface(workflow, key, schemas)
        if node.mode != "run":
            flat.nodes[id] = node.model_copy(update={"version": None})
            continue
        count = len(flat.nodes) + len(stack) + len(definition.nodes)
        if (refusal := _refusal(id, key, chain, count, max_nodes)) is not None:
            flat.nodes[id], flat.refused[id] = node, refusal
            continue
        inner = _expand(flat, id, node, definition)
        flat.expanded[id] = node.type
        stack += [(id, node, (*chain, key)) for id, node in reversed(inner.items())]
    for id, node in flat.nodes.items():
        flat.nodes[id] = _relink(node, flat.follow)
    return flat


def interface(workflow: Workflow, key: str, schemas: Schemas) -> NodeSchema:
    """What an instance of a subgraph looks like from outside; types that cannot be found out are `*`."""
    definition = workflow.subgraphs[key]
    inputs: list[InputSchema] = []
    for each in definition.inputs:
        leads_to = _inner_input(workflow, definition, each.to[0], schemas) if each.to else None
        inputs.append(
            InputSchema(
                name=each.name,
                type=leads_to.type if leads_to else "*",
                widget=leads_to.widget if leads_to else None,
                required=False,
            )
        )
    outputs = [
        OutputSchema(name=each.name, type=_inner_output(workflow, definition, each.source, schemas))
        for each in definition.outputs
    ]
    return NodeSchema(
        name=SUBGRAPH + key,
        title=definition.name or key,
        version=1,
        category="subgraph",
        help="",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
    )


def unknown_subgraph(id: str, key: str, workflow: Workflow) -> Problem:
    """The problem of an instance whose definition is not in the document."""
    near = nearest(key, workflow.subgraphs) or list(workflow.subgraphs)[:6]
    return Problem(
        "unknown_subgraph",
        f"The workflow has no subgraph '{shorten(key)}'.",
        id,
        wanted="the key of one of the workflow's `subgraphs`",
        got=shorten(key),
        fix=f"use {either(near)}" if near else "add the subgraph to the workflow, or remove the node",
    )


def _inner_input(workflow: Workflow, definition: Subgraph, place: str, schemas: Schemas) -> InputSchema | None:
    for _ in range(MAX_DEPTH):
        id, _, name = place.partition(".")
        node = definition.nodes.get(id)
        key = None if node is None else subgraph_key(node.type)
        if node is None or (key is not None and key not in workflow.subgraphs):
            return None
        if key is None:
            schema = schemas.get(node.type)
            return schema and (schema.input(name) or schema.input(name.partition(".")[0]))
        definition = workflow.subgraphs[key]
        declared = next((each for each in definition.inputs if each.name == name), None)
        if declared is None or not declared.to:
            return None
        place = declared.to[0]
    return None


def _inner_output(workflow: Workflow, definition: Subgraph, place: str, schemas: Schemas) -> str:
    for _ in range(MAX_DEPTH):
        id, _, name = place.partition(".")
        node = definition.nodes.get(id)
        key = None if node is None else subgraph_key(node.type)
        if node is None or (key is not None and key not in workflow.subgraphs):
            return "*"
        output = read_output(name)
        if key is None:
            schema = schemas.get(node.type)
            index = schema.output_index(output) if schema and isinstance(output, str) else output
            return (
                schema.outputs[index].type if schema and isinstance(index, int) and index < len(schema.outputs) else "*"
            )
        definition = workflow.subgraphs[key]
        index = _index(definition, output)
        if index is None:
            return "*"
        place = definition.outputs[index].source
    return "*"


def _index(definition: Subgraph, output: str | int) -> int | None:
    if isinstance(output, int):
        return output if 0 <= output < len(definition.outputs) else None
    return next((index for index, each in enumerate(definition.outputs) if each.name == output), None)


def _expand(flat: Flat, id: str, node: WorkflowNode, definition: Subgraph) -> dict[str, WorkflowNode]:
    """The nodes inside of an instance, by their new ids, with what the instance gives them."""
    given: dict[str, dict[str, InputValue]] = {}

    def give(target: str, value: InputValue, name: str | None) -> None:
        inner, _, input = target.partition(".")
        given.setdefault(inner, {})[input] = value
        if name is not None:
            flat.given[f"{id}:{inner}", input] = (id, name)

    declared = {each.name: each for each in definition.inputs}
    paths: dict[str, InputValue] = {}
    for name, value in node.inputs.items():
        head, dot, rest = name.partition(".")
        if (found := declared.get(name)) is not None:
            for target in found.to:
                give(target, value, name)
        elif dot and (found := declared.get(head)) is not None:  # `images.0`, of an input that grows
            for target in found.to:
                give(f"{target}.{rest}", value, name)
        elif dot and (path := _path(definition, head, rest)) is not None:
            paths[path] = value
        else:
            flat.problems.append((id, _unknown_input(id, name, definition)))
    for path, value in paths.items():  # after the declared inputs: whoever names a path means just that one
        give(path, value, None)
    for each in definition.inputs:
        for inner, _, input in (target.partition(".") for target in each.to):
            flat.open[f"{id}:{inner}", input] = (id, each.name)

    def inside(link: Link) -> Link:
        return Link(f"{id}:{link.node}", link.output)

    inner_nodes: dict[str, WorkflowNode] = {}
    for inner, each in definition.nodes.items():
        own = _relink(each, inside)
        if inner in given:
            own = own.model_copy(update={"inputs": {**own.inputs, **given[inner]}})
        inner_nodes[f"{id}:{inner}"] = own
    return inner_nodes


def _path(definition: Subgraph, head: str, input: str) -> str | None:
    """`node.input` for an inner node, or for an instance in there the path that goes on inside of it."""
    if head in definition.nodes:
        return f"{head}.{input}"
    for index, character in enumerate(head):
        if character == ":" and (found := definition.nodes.get(head[:index])) and subgraph_key(found.type) is not None:
            return f"{head[:index]}.{head[index + 1 :]}.{input}"
    return None


def _relink(node: WorkflowNode, to: Callable[[Link], Link]) -> WorkflowNode:
    """The node with its links led elsewhere; the node itself if none of them changes."""
    inputs = {name: _led(value, to) for name, value in node.inputs.items() if isinstance(value, Link | tuple)}
    if all(value == node.inputs[name] for name, value in inputs.items()):
        return node
    return node.model_copy(update={"inputs": {**node.inputs, **inputs}})


def _led(value: Link | tuple[Link, ...], to: Callable[[Link], Link]) -> InputValue:
    return to(value) if isinstance(value, Link) else tuple(map(to, value))


def _refusal(id: str, key: str, chain: tuple[str, ...], count: int, max_nodes: int) -> Problem | None:
    if key in chain:
        way = " -> ".join([*chain[chain.index(key) :], key])
        return Problem(
            "recursive_subgraph",
            f"The subgraph '{shorten(key)}' contains itself: {shorten(way, 300)}.",
            id,
            wanted="subgraphs that do not contain themselves",
            got=shorten(way, 500),
            fix="remove this node from the subgraph",
        )
    if len(chain) >= MAX_DEPTH:
        return Problem(
            "subgraphs_too_deep",
            f"Subgraphs lie more than {MAX_DEPTH} deep inside each other.",
            id,
            wanted=f"at most {MAX_DEPTH} levels",
            fix="take some of them apart",
        )
    if count > max_nodes:
        return Problem(
            "too_many_nodes",
            f"With its subgraphs taken apart, the workflow has more than {max_nodes:,} nodes.",
            id,
            wanted=f"at most {max_nodes:,}",
            fix="split it into several workflows",
        )
    return None


def _duplicate(id: str) -> Problem:
    return Problem(
        "duplicate_node",
        f"Two nodes are called '{shorten(id)}': one inside of a subgraph's instance, and another.",
        id,
        got=shorten(id),
        fix="rename one of them",
    )


def _unknown_input(id: str, name: str, definition: Subgraph) -> Problem:
    names = [each.name for each in definition.inputs]
    near = nearest(name, names)
    return Problem(
        "unknown_input",
        f"The subgraph has no input '{shorten(name)}', and no node inside that this would be a path to.",
        id,
        name,
        wanted=either(names) if names else "no inputs",
        got=shorten(name),
        fix=f"use {either(near or names)}" if names else "remove it",
    )
