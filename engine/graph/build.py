"""From a workflow to a graph: everything that is checked before anything runs, all problems in one answer.

Only what the requested outputs need is built and checked, as in ComfyUI. Nothing recurses, so a chain of 10,000 nodes
is as good as one of ten (promise P2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NoReturn, Protocol

from engine.errors import Problem, WorkflowError
from engine.graph.dag import cycles, topological_order
from engine.graph.graph import Graph, GraphNode
from engine.graph.inputs import CheckFile as CheckFile
from engine.graph.inputs import NodeInputs, Shape
from engine.graph.links import Links
from engine.graph.migrate import Migrations, lift
from engine.graph.subgraphs import Flat, flatten, unknown_subgraph
from engine.graph.wording import MAX_PROBLEMS, either, shorten
from engine.graph.workflow import Workflow, WorkflowNode, no_such_node, subgraph_key
from engine.node.schema import NodeSchema


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
        self._workflow, self._schemas, self._migrations, self._check_file = workflow, schemas, migrations, check_file
        self._problems: list[Problem] = []
        self._shapes: dict[str, Shape | None] = {}
        self._found: dict[str, tuple[WorkflowNode, NodeSchema | None]] = {}
        # Workflows without subgraphs, large ones among them, do not pay for them.
        self._flat = flatten(workflow, schemas) if workflow.subgraphs else None
        self._nodes = workflow.nodes if self._flat is None else self._flat.nodes
        interface_of = None if self._flat is None else self._flat.interface_of
        self._links = Links(self._nodes, self.look_up, self.report, outer, interface_of)

    def graph(self, outputs: Sequence[str] | None) -> Graph:
        targets = self._all_outputs() if outputs is None else self._requested(outputs)
        nodes: dict[str, GraphNode] = {}
        sources: dict[str, list[str]] = {}
        stack = list(reversed(targets))
        while stack:
            id = stack.pop()
            if id in sources:
                continue
            inputs = self._inputs(id)
            shape = self._shape(inputs.node.type)
            if shape is not None:
                nodes[id] = GraphNode(id, shape.schema, inputs.literals, inputs.links, inputs.node.frozen)
            sources[id] = [each.node for each in inputs.links.values() if each.node in self._nodes]
            stack.extend(reversed(sources[id]))
        if self._flat is not None:
            self._report_instances(self._flat, None if outputs is None else sources)
        order = topological_order({id: sources[id] for id in self._nodes if id in sources})
        if order is None:
            for path in cycles(sources):
                self.report(_cycle(path))
        if self._problems:
            self._refuse()
        assert order is not None
        return Graph({id: nodes[id] for id in order}, tuple(targets))

    def report(self, problem: Problem) -> None:
        self._problems.append(problem if self._flat is None else self._flat.shown(problem))
        if len(self._problems) >= MAX_PROBLEMS:
            last = Problem(
                "too_many_problems", f"The first {MAX_PROBLEMS} problems are listed.", fix="correct them first"
            )
            self._problems.append(last)
            self._refuse()

    def _refuse(self) -> NoReturn:
        place = {id: index for index, id in enumerate(self._nodes if self._flat is None else self._flat.order)}
        after = len(place)
        raise WorkflowError(
            sorted(
                self._problems, key=lambda problem: after if problem.node is None else place.get(problem.node, after)
            )
        )

    def look_up(self, id: str) -> tuple[WorkflowNode, NodeSchema | None]:
        """A node lifted to the present version of its type, and its schema; problems are reported once."""
        found = self._found.get(id)
        if found is None:
            found = self._found[id] = self._look_up(id, self._nodes[id])
        return found

    def _look_up(self, id: str, node: WorkflowNode) -> tuple[WorkflowNode, NodeSchema | None]:
        if self._flat is not None and (refusal := self._flat.refused.get(id)) is not None:
            self.report(refusal)
            return node, None
        shape = self._shape(node.type)
        if shape is None:
            key = subgraph_key(node.type)
            unknown = _unknown_node(id, node.type, self._schemas) if key is None else None
            self.report(unknown or unknown_subgraph(id, key or "", self._workflow))
            return node, None
        lifted = lift(id, node, shape.schema, self._migrations)
        if isinstance(lifted, Problem):
            self.report(lifted)
            return node, None  # what its inputs meant is not known
        return lifted, shape.schema

    def _shape(self, node_type: str) -> Shape | None:
        if node_type not in self._shapes:
            schema = self._schemas.get(node_type)
            if schema is None and self._flat is not None:
                schema = self._flat.interfaces.get(node_type)
            self._shapes[node_type] = Shape.of(schema) if schema else None
        return self._shapes[node_type]

    def _inputs(self, id: str) -> NodeInputs:
        node, schema = self.look_up(id)
        lenient = self._workflow.origin == "comfyui"
        inputs = NodeInputs(id, node, self._links, self.report, self._check_file, lenient)
        shape = self._shape(node.type)
        if shape is not None and schema is not None:
            inputs.read(shape)
        else:
            inputs.read_links_only()
        return inputs

    def _all_outputs(self) -> list[str]:
        running = {id: self._shape(node.type) for id, node in self._nodes.items() if node.mode == "run"}
        refused = self._flat.refused if self._flat is not None else {}
        for id in [id for id, shape in running.items() if shape is None or id in refused]:
            self.look_up(id)  # reports it
        outputs = [id for id, shape in running.items() if shape is not None and shape.schema.output]
        if not outputs and None not in running.values():
            names = [each.name for each in self._schemas if each.output]
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
            node = self._nodes.get(id)
            if node is None and self._flat is not None and id in self._flat.expanded:
                targets += self._flat.targets(id, self._schemas)
            elif node is None:
                self.report(no_such_node(id, self._nodes))
            elif node.mode != "run":
                state = "muted" if node.mode == "mute" else "bypassed"
                self.report(
                    Problem("not_running", f"It is asked for, but it is {state}.", id, fix="set its mode to run")
                )
            else:
                targets.append(id)
        if not targets and not self._problems:
            self.report(Problem("no_output", "No output is asked for.", fix="name at least one node"))
        return list(dict.fromkeys(targets))

    def _report_instances(self, flat: Flat, needed: Collection[str] | None) -> None:
        """Report what is wrong with instances themselves: all of them (None), or those with a node that is needed."""
        for instance, problem in flat.problems:
            inside = f"{instance}:"
            if needed is None or any(id == instance or id.startswith(inside) for id in needed):
                self.report(problem)


def _unknown_node(id: str, node_type: str, schemas: Schemas) -> Problem:
    near = schemas.nearest(shorten(node_type))
    return Problem(
        "unknown_node",
        f"There is no node type '{shorten(node_type)}'.",
        id,
        got=shorten(node_type),
        fix=f"use {either(near)}, or install the plugin that has it" if near else "install the plugin that has it",
    )


def _cycle(path: list[str]) -> Problem:
    way = " -> ".join([*path, path[0]])
    return Problem(
        "cycle",
        f"The node needs its own result: {way if len(path) <= 20 else f'a loop of {len(path)} nodes'}.",
        path[0],
        wanted="a graph without loops",
        got=shorten(way, 500),
        fix="remove one of these links",
    )
