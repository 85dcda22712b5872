"""From a workflow to a graph: everything that is checked before anything runs, all problems in one answer.

Only what the requested outputs need is built and checked, as in ComfyUI. Nothing recurses, so a chain of 10,000 nodes
is as good as one of ten (promise P2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, Protocol

from pydantic import JsonValue

from engine.errors import Problem, WorkflowError
from engine.graph.dag import cycles, topological_order
from engine.graph.graph import Graph, GraphNode, Source
from engine.graph.links import Absent, Links
from engine.graph.literals import LiteralError, read_literal
from engine.graph.migrate import Migrations, lift
from engine.graph.wording import MAX_PROBLEMS, describe, either, nearest, shorten
from engine.graph.workflow import InputValue, Link, Workflow, WorkflowNode, all_links, no_such_node
from engine.node.schema import InputSchema, NodeSchema

CheckFile = Callable[[str, str], Problem | None]
"""Says what is wrong with a file, by its folder (`checkpoints`, `input`, ...) and name; the caller adds where."""


class Schemas(Protocol):
    """What building asks of a catalogue."""

    def get(self, name: str) -> NodeSchema | None:
        """The schema of a node type, also by an alias."""
        ...

    def nearest(self, name: str) -> list[str]:
        """Names that look like an unknown one."""
        ...

    def __iter__(self) -> Iterator[NodeSchema]: ...


def build(
    workflow: Workflow,
    schemas: Schemas,
    *,
    outputs: Sequence[str] | None = None,
    migrations: Migrations | None = None,
    check_file: CheckFile | None = None,
    outer: Graph | None = None,
) -> Graph:
    """Check a workflow and turn it into a graph.

    Args:
        outputs: ids of the nodes to run (any nodes); None runs every output node that is not muted or bypassed, and
            then no node of the workflow may be of an unknown type, since it might have been an output.
        migrations: lift nodes of old versions.
        check_file: asked about every file named by an input.
        outer: a graph that links may also start in, for a graph that a node expands to.

    Raises:
        WorkflowError: every problem, in the order of the workflow's nodes.
    """
    return _Build(workflow, schemas, migrations or {}, check_file, outer).graph(outputs)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A schema, prepared once for all nodes of its type."""

    schema: NodeSchema
    inputs: Mapping[str, InputSchema]
    defaults: Mapping[str, JsonValue]
    """What inputs that were not given become, read like any literal so that it makes no difference to the key."""


def _shape(schema: NodeSchema) -> _Shape:
    inputs = {each.name: each for each in schema.inputs}
    return _Shape(schema, inputs, {each.name: _default(each) for each in schema.inputs if each.default is not None})


def _default(declared: InputSchema) -> JsonValue:
    try:
        return read_literal(declared, declared.default)
    except LiteralError:
        return declared.default  # outside its own range on purpose: the author's word counts


class _Build:
    """The work of one `build`."""

    def __init__(
        self,
        workflow: Workflow,
        schemas: Schemas,
        migrations: Migrations,
        check_file: CheckFile | None,
        outer: Graph | None,
    ) -> None:
        self.workflow, self.schemas, self.migrations, self.check_file = workflow, schemas, migrations, check_file
        self._problems: list[Problem] = []
        self.shapes: dict[str, _Shape | None] = {}
        self.found: dict[str, tuple[WorkflowNode, NodeSchema | None]] = {}
        self.links = Links(workflow.nodes, self.look_up, self.report, outer)

    def graph(self, outputs: Sequence[str] | None) -> Graph:
        targets = self._all_outputs() if outputs is None else self._requested(outputs)
        nodes: dict[str, GraphNode] = {}
        sources: dict[str, list[str]] = {}
        stack = list(reversed(targets))
        while stack:
            id = stack.pop()
            if id in sources:
                continue
            node, schema = self.look_up(id)
            literals, links = self._inputs(id, node, schema)
            if schema is not None:
                nodes[id] = GraphNode(id, schema, literals, links)
            sources[id] = [each.node for each in links.values() if each.node in self.workflow.nodes]
            stack.extend(reversed(sources[id]))
        order = topological_order({id: sources[id] for id in self.workflow.nodes if id in sources})
        if order is None:
            for path in cycles(sources):
                self.report(_cycle(path))
        if self._problems:
            self._refuse()
        assert order is not None
        return Graph({id: nodes[id] for id in order}, tuple(targets))

    def report(self, problem: Problem) -> None:
        self._problems.append(problem)
        if len(self._problems) >= MAX_PROBLEMS:
            last = Problem(
                "too_many_problems", f"The first {MAX_PROBLEMS} problems are listed.", fix="correct them first"
            )
            self._problems.append(last)
            self._refuse()

    def _refuse(self) -> NoReturn:
        place = {id: index for index, id in enumerate(self.workflow.nodes)}
        after = len(place)
        raise WorkflowError(
            sorted(
                self._problems, key=lambda problem: after if problem.node is None else place.get(problem.node, after)
            )
        )

    def look_up(self, id: str) -> tuple[WorkflowNode, NodeSchema | None]:
        """A node lifted to the present version of its type, and its schema; problems are reported once."""
        found = self.found.get(id)
        if found is None:
            node = self.workflow.nodes[id]
            shape = self._shape_of(node.type)
            if shape is None:
                self.report(_unknown_node(id, node.type, self.schemas))
                found = node, None
            else:
                lifted = lift(id, node, shape.schema, self.migrations)
                if isinstance(lifted, Problem):
                    self.report(lifted)
                    found = node, None  # what its inputs meant is not known
                else:
                    found = lifted, shape.schema
            self.found[id] = found
        return found

    def _shape_of(self, node_type: str) -> _Shape | None:
        if node_type not in self.shapes:
            schema = self.schemas.get(node_type)
            self.shapes[node_type] = _shape(schema) if schema else None
        return self.shapes[node_type]

    def _all_outputs(self) -> list[str]:
        running = [id for id, node in self.workflow.nodes.items() if node.mode == "run"]
        schemas = {id: self.look_up(id)[1] for id in running}
        outputs = [id for id, schema in schemas.items() if schema is not None and schema.output]
        if not outputs and None not in schemas.values():
            names = [each.name for each in self.schemas if each.output]
            self.report(
                Problem(
                    "no_output",
                    "The workflow has no output: nothing would be saved or shown."
                    if running
                    else "The workflow has no nodes that run.",
                    wanted="at least one node that saves or shows something",
                    fix=f"add {either(names, 3)}" if names else "add an output node",
                )
            )
        return outputs

    def _requested(self, outputs: Sequence[str]) -> list[str]:
        targets: list[str] = []
        for id in dict.fromkeys(outputs):
            node = self.workflow.nodes.get(id)
            if node is None:
                self.report(no_such_node(id, self.workflow.nodes))
            elif node.mode != "run":
                state = "muted" if node.mode == "mute" else "bypassed"
                self.report(
                    Problem("not_running", f"It is asked for, but it is {state}.", id, fix=f"set its mode to run: {id}")
                )
            else:
                targets.append(id)
        if not targets and not self._problems:
            self.report(Problem("no_output", "No output is asked for.", fix="name at least one node"))
        return targets

    def _inputs(
        self, id: str, node: WorkflowNode, schema: NodeSchema | None
    ) -> tuple[dict[str, JsonValue], dict[str, Source]]:
        """A node's literals and links; of a node of unknown type only the links, with their types unchecked."""
        literals: dict[str, JsonValue] = {}
        links: dict[str, Source] = {}
        shape = self.shapes[node.type]
        if shape is None or schema is None:
            for name, value in node.inputs.items():
                for link in all_links(value):
                    self._link(id, name, "*", link, links)
            return literals, links

        given = set[str]()
        absent: dict[str, Absent] = {}
        growing: dict[str, list[tuple[str, InputValue]]] = {}
        for name, value in node.inputs.items():
            declared = shape.inputs.get(name)
            if declared is None and (dotted := _growing(name, shape)) is not None:
                growing.setdefault(dotted.name, []).append((name, value))
            elif declared is None:
                self._undeclared(id, name, value, node, shape)
            elif declared.variadic:
                items = value if isinstance(value, tuple) else [] if value is None else [value]
                growing.setdefault(name, []).extend((f"{name}.{index}", item) for index, item in enumerate(items))
            elif isinstance(value, Link):
                reason = self._link(id, name, declared.type, value, links)
                if reason is None:
                    given.add(name)
                else:
                    absent[name] = reason
            elif value is not None or declared.widget is not None:
                given.add(name)
                self._literal(id, declared, value, literals)
        for name, items in growing.items():
            if self._grow(id, shape.inputs[name], items, links):
                given.add(name)
        for name, declared in shape.inputs.items():
            if name in given:
                continue
            if name in shape.defaults:
                literals[name] = shape.defaults[name]
                self._check_file(id, declared, literals[name])
            elif declared.required:
                self.report(_missing(id, declared, absent.get(name)))
        return literals, links

    def _link(self, id: str, name: str, wanted: str, link: Link, links: dict[str, Source]) -> Absent | None:
        """Resolve a link into `links`; return why it leads to nothing, if it does."""
        source = self.links.resolve(id, name, wanted, link)
        if isinstance(source, Absent):
            return source
        if source is not None:
            links[name] = source
        return None

    def _grow(
        self, id: str, declared: InputSchema, items: list[tuple[str, InputValue]], links: dict[str, Source]
    ) -> bool:
        """Link the items of an input that grows as `name.0`, `name.1`, ...; whether there are any."""
        count = 0
        for name, value in sorted(items, key=lambda item: _number(item[0])):
            if not isinstance(value, Link):
                self.report(_must_be_linked(id, name, declared, value))
                count += 1
                continue
            here: dict[str, Source] = {}
            if self._link(id, name, declared.type, value, here) is None:
                links.update((f"{declared.name}.{count}", source) for source in here.values())
                count += 1
        return count > 0

    def _literal(self, id: str, declared: InputSchema, value: InputValue, literals: dict[str, JsonValue]) -> None:
        name = declared.name
        if isinstance(value, Link | tuple):
            self.report(Problem("one_link_only", "It takes one link, not a list.", id, name, fix="link one output"))
            return
        if declared.widget is None:
            self.report(_must_be_linked(id, name, declared, value))
            return
        try:
            literals[name] = read_literal(declared, value)
        except LiteralError as bad:
            self.report(Problem(bad.code, bad.message, id, name, bad.wanted, bad.got, bad.fix))
            return
        self._check_file(id, declared, literals[name])

    def _check_file(self, id: str, declared: InputSchema, value: JsonValue) -> None:
        if declared.folder and self.check_file and isinstance(value, str):
            problem = self.check_file(declared.folder, value)
            if problem is not None:
                self.report(replace(problem, node=id, input=declared.name))

    def _undeclared(self, id: str, name: str, value: InputValue, node: WorkflowNode, shape: _Shape) -> None:
        """Report an input that the type does not have.

        ComfyUI's own files hold leftovers of its editor (`upload`), which it ignores; so do we in its format, unless it
        looks like a slip for an input that was not given.
        """
        near = nearest(name, [each for each in shape.inputs if each not in node.inputs])
        if self.workflow.origin == "comfyui" and not all_links(value) and not near:
            return
        names = list(shape.inputs)
        self.report(
            Problem(
                "unknown_input",
                f"{shape.schema.name} has no input '{shorten(name)}'.",
                id,
                name,
                wanted=either(names) if names else "no inputs",
                got=shorten(name),
                fix=f"use {either(near or nearest(name, names) or names)}" if names else "remove it",
            )
        )


def _growing(name: str, shape: _Shape) -> InputSchema | None:
    """The growing input that a dotted name (`images.0`, ComfyUI's `images.image0`) belongs to."""
    head, dot, _ = name.partition(".")
    declared = shape.inputs.get(head) if dot else None
    return declared if declared is not None and declared.variadic else None


def _number(name: str) -> int:
    digits = re.search(r"[0-9]{1,9}$", name)
    return int(digits.group()) if digits else 0


def _unknown_node(id: str, node_type: str, schemas: Schemas) -> Problem:
    near = schemas.nearest(node_type)
    return Problem(
        "unknown_node",
        f"There is no node type '{shorten(node_type)}'.",
        id,
        got=shorten(node_type),
        fix=f"use {either(near)}, or install the plugin that has it" if near else "install the plugin that has it",
    )


def _missing(id: str, declared: InputSchema, absent: Absent | None) -> Problem:
    linked = declared.widget is None
    return Problem(
        "missing_input",
        f"It is needed, but it comes from {absent.reason}." if absent else "It is needed, and it is not given.",
        id,
        declared.name,
        wanted=f"a link of type {declared.type}" if linked else f"a value or a link of type {declared.type}",
        got="nothing",
        fix=f"link an output of type {declared.type} to it" if linked else "give a value",
    )


def _must_be_linked(id: str, name: str, declared: InputSchema, value: JsonValue | tuple[Link, ...]) -> Problem:
    return Problem(
        "link_required",
        "It takes a link, not a value.",
        id,
        name,
        wanted=f"a link of type {declared.type}",
        got=describe(value),
        fix='link an output to it: {"from": "node.output"}',
    )


def _cycle(path: list[str]) -> Problem:
    way = " -> ".join([*path, path[0]])
    return Problem(
        "cycle",
        f"The node needs its own result: {way if len(path) <= 20 else f'a loop of {len(path)} nodes'}.",
        path[0],
        wanted="a graph without loops",
        got=way,
        fix="remove one of these links",
    )
