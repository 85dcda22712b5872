"""Links resolved to the output they really start at, past muted and bypassed nodes, with their types checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import Problem
from engine.graph.graph import Graph, Source
from engine.graph.wording import either, nearest, shorten
from engine.graph.workflow import Link, WorkflowNode, all_links
from engine.node.schema import InputSchema, NodeSchema


@dataclass(frozen=True, slots=True)
class Absent:
    """A link that leads to nothing, as if it were not there; `reason` completes the sentence "it comes from"."""

    reason: str


def types_fit(source: str, wanted: str) -> bool:
    """Whether an output's type may be linked to an input's: equal, `*` on either side, or unions that overlap."""
    if source == wanted or source == "*" or wanted == "*":
        return True
    if "," not in source and "," not in wanted:
        return False
    sources, all_wanted = _names(source), _names(wanted)
    return "*" in sources or "*" in all_wanted or not sources.isdisjoint(all_wanted)


def _names(union: str) -> set[str]:
    return {name.strip() for name in union.split(",")}


@dataclass(frozen=True, slots=True)
class Links:
    """Resolves the links of one workflow.

    Args:
        nodes: of the workflow.
        look_up: gives a node, lifted to its type's present version, and its schema, or None for an unknown type
            (which `look_up` itself reports).
        report: takes each problem found.
        outer: a graph that links may also start in, for a graph that a node expands to.
        interface_of: what an instance of a subgraph looks like, whose links lead to the nodes inside of it by now;
            None for any other id.
    """

    nodes: Mapping[str, WorkflowNode]
    look_up: Callable[[str], tuple[WorkflowNode, NodeSchema | None]]
    report: Callable[[Problem], None]
    outer: Graph | None = None
    interface_of: Callable[[str], NodeSchema | None] | None = None

    def resolve(self, consumer: str, name: str, wanted: str, link: Link) -> Source | Absent | None:
        """Find where a link starts.

        Args:
            consumer: id of the node the link ends at, `name` its input, `wanted` that input's type.

        Returns:
            None when a problem was reported: `dangling_link`, `unknown_output`, `link_type` or `cycle`.
        """
        passed: list[str] = []
        while True:
            node, schema = self._start(consumer, name, link)
            if node is not None and node.mode == "mute":
                return Absent(f"'{link.node}', which is muted")
            if schema is None:
                # Of an unknown type nothing else can be said; visiting the node lets its own links be checked.
                index = link.output if isinstance(link.output, int) else 0
                return Source(link.node, max(index, 0)) if node is not None else None
            index = _output_index(schema, link.output)
            if index is None:
                self.report(_unknown_output(consumer, name, link, schema))
                return None
            if node is None or node.mode == "run":
                if types_fit(schema.outputs[index].type, wanted):
                    return Source(link.node, index)
                self.report(_wrong_type(consumer, name, wanted, link, schema, index))
                return None
            if link.node in passed:
                self.report(_bypass_cycle(consumer, name, [*passed, link.node]))
                return None
            passed.append(link.node)
            through = _through(node, schema, index, wanted)
            if through is None:
                return Absent(f"'{link.node}', which is bypassed and takes in nothing that fits")
            link = through

    def _start(self, consumer: str, name: str, link: Link) -> tuple[WorkflowNode | None, NodeSchema | None]:
        """The node a link starts at and its schema; a node of the outer graph has only a schema."""
        if link.node in self.nodes:
            return self.look_up(link.node)
        if self.outer is not None and (found := self.outer.nodes.get(link.node)) is not None:
            return None, found.schema
        if self.interface_of is not None and (interface := self.interface_of(link.node)) is not None:
            self.report(_unknown_output(consumer, name, link, interface))
            return None, None
        near = nearest(link.node, self.nodes)
        self.report(
            Problem(
                "dangling_link",
                f"The link comes from '{shorten(link.node)}', which does not exist.",
                consumer,
                name,
                wanted="the id of a node of this workflow",
                got=shorten(link.node),
                fix=f"link it to {either(near)}" if near else "remove the link or add the node",
            )
        )
        return None, None


def _output_index(schema: NodeSchema, output: str | int) -> int | None:
    if isinstance(output, str):
        return schema.output_index(output)
    return output if 0 <= output < len(schema.outputs) else None


def _through(node: WorkflowNode, schema: NodeSchema, index: int, wanted: str) -> Link | None:
    """The link that a bypassed node passes on as its output `index`, to an input of type `wanted`.

    The input of the same position if its type fits the output and `wanted`, else the first whose type is `wanted`, else
    the first that fits both; positions count inputs that must be linked before those that have a widget.
    For `*`, the input of the same position or else the first.

    Source: comfyui-interface.md section 3.4 of this project's design notes.
    """
    inputs = sorted(schema.inputs, key=lambda each: each.widget is not None)
    same = inputs[index : index + 1]
    if wanted == "*":
        candidates = same or inputs[:1]
    else:
        fitting = [
            each for each in inputs if types_fit(each.type, wanted) and types_fit(schema.outputs[index].type, each.type)
        ]
        exact = [each for each in inputs if each.type == wanted]
        candidates = [each for each in same if each in fitting] or exact[:1] or fitting[:1]
    return _linked(node, candidates[0]) if candidates else None


def _linked(node: WorkflowNode, schema: InputSchema) -> Link | None:
    links = all_links(node.inputs.get(schema.name))
    return links[0] if links else None


def _unknown_output(consumer: str, name: str, link: Link, schema: NodeSchema) -> Problem:
    names = [each.name for each in schema.outputs]
    near = nearest(link.output, names) if isinstance(link.output, str) else []
    which = f"output '{shorten(link.output)}'" if isinstance(link.output, str) else f"output {link.output}"
    return Problem(
        "unknown_output",
        f"{schema.name} '{link.node}' has no {which}.",
        consumer,
        name,
        wanted=either(names) if names else "a node with outputs",
        got=shorten(str(link.output)),
        fix=f"use {either(near or names)}" if names else "link another node",
    )


def _wrong_type(consumer: str, name: str, wanted: str, link: Link, schema: NodeSchema, index: int) -> Problem:
    output = schema.outputs[index]
    others = [each.name for each in schema.outputs if types_fit(each.type, wanted)]
    return Problem(
        "link_type",
        f"It takes {wanted}, but '{link.node}.{output.name}' gives {output.type}.",
        consumer,
        name,
        wanted=wanted,
        got=output.type,
        fix=f"use {either(f'{link.node}.{other}' for other in others)}"
        if others
        else f"link an output of type {wanted}",
    )


def _bypass_cycle(consumer: str, name: str, path: list[str]) -> Problem:
    loop = path[path.index(path[-1]) :]
    return Problem(
        "cycle",
        f"Bypassed nodes lead back to themselves: {' -> '.join(loop)}.",
        consumer,
        name,
        got=" -> ".join(loop),
        fix="remove one of these links",
    )
