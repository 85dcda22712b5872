"""A workflow as ComfyUI's API format, also one that is not finished: to hand it to other programs.

Subgraphs are taken apart, muted and bypassed nodes resolved, defaults written out, and nodes called by the names that
ComfyUI has for them. `engine.graph.prompt` writes a graph that was checked; here, whatever is wrong is told beside the
prompt, and values and nodes that are not understood are passed on as they are.
"""

from __future__ import annotations

from collections.abc import Container

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.build import Schemas
from engine.graph.inputs import NodeInputs, Shape
from engine.graph.links import Links
from engine.graph.migrate import Migrations, lift
from engine.graph.prompt import as_literal
from engine.graph.subgraphs import flatten
from engine.graph.wording import MAX_PROBLEMS
from engine.graph.workflow import Link, Workflow, WorkflowNode
from engine.node.schema import NodeSchema


def export_prompt(
    workflow: Workflow, schemas: Schemas, migrations: Migrations | None = None
) -> tuple[dict[str, JsonValue], list[Problem]]:
    """Write a workflow in API format.

    Returns:
        `id -> {"class_type": ..., "inputs": ..., "_meta": {"title": ...}}` for every node that runs, and what is wrong
        with the workflow, as far as it concerns what was written.
    """
    export = _Export(workflow, schemas, migrations or {})
    return export.prompt(), export.problems


class _Export:
    """The work of one `export_prompt`."""

    def __init__(self, workflow: Workflow, schemas: Schemas, migrations: Migrations) -> None:
        self.problems: list[Problem] = []
        self._schemas, self._migrations = schemas, migrations
        self._lenient = workflow.origin == "comfyui"
        self._flat = flatten(workflow, schemas)
        self._found: dict[str, tuple[WorkflowNode, NodeSchema | None]] = {}
        self._links = Links(self._flat.nodes, self._look_up, self._report, interface_of=self._flat.interface_of)

    def prompt(self) -> dict[str, JsonValue]:
        flat = self._flat
        for problem in (*flat.refused.values(), *(problem for _, problem in flat.problems)):
            self._report(problem)
        running = [id for id, node in flat.nodes.items() if node.mode == "run" and id not in flat.refused]
        return {id: self._node(id, set(running)) for id in running}

    def _report(self, problem: Problem) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(self._flat.shown(problem))

    def _look_up(self, id: str) -> tuple[WorkflowNode, NodeSchema | None]:
        """A node, lifted to the present version of its type where that can be, and its schema."""
        if id not in self._found:
            node = self._flat.nodes[id]
            schema = self._schemas.get(node.type) or self._flat.interfaces.get(node.type)
            lifted = node if schema is None else lift(id, node, schema, self._migrations)
            if isinstance(lifted, Problem):
                self._report(lifted)
                lifted = node
            self._found[id] = lifted, schema
        return self._found[id]

    def _node(self, id: str, running: Container[str]) -> JsonValue:
        node, schema = self._look_up(id)
        read = NodeInputs(id, node, self._links, self._report, None, self._lenient)
        inputs: dict[str, JsonValue] = {
            name: as_literal(value)
            for name, value in node.inputs.items()
            if value is not None and not isinstance(value, Link | tuple)
        }
        if schema is None:
            read.read_links_only()
        else:
            read.read(Shape.of(schema))
            inputs |= {name: as_literal(value) for name, value in read.literals.items()}
        for name, source in read.links.items():
            if source.node in running:
                lone = schema is None and isinstance(node.inputs.get(name.rpartition(".")[0]), Link)
                inputs[name.rpartition(".")[0] if lone else name] = [source.node, source.output]
        names = [node.type] if schema is None else _names(schema)
        title = node.title or (schema.title if schema is not None else None)
        written: dict[str, JsonValue] = {"class_type": names[0], "inputs": inputs}
        return {**written, "_meta": {"title": title}} if title else written


def _names(schema: NodeSchema) -> list[str]:
    """What to call a node, best first: of those that come with Darkroom, aliases are the names that ComfyUI has."""
    return [*schema.aliases, schema.name] if schema.package == "nodes" else [schema.name]
