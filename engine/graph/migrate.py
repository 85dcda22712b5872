"""Old nodes lifted to the present version of their type, one step at a time, by functions the type's author wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.workflow import WorkflowNode, read_input, write_input
from engine.node.schema import NodeSchema

Migration = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]
"""Takes the inputs of version n as they stand in the file and returns those of version n + 1."""
Migrations = Mapping[tuple[str, int], Migration]
"""By the type's name and the version that is lifted."""


def lift(id: str, node: WorkflowNode, schema: NodeSchema, migrations: Migrations) -> WorkflowNode | Problem:
    """Return the node as the schema's version has it, or why that cannot be.

    A node without a version is taken to be of the present one. The problem is `newer_node`, `older_node` (a step is
    missing) or `migration_failed`.
    """
    if node.version is None or node.version == schema.version:
        return node
    if node.version > schema.version:
        return Problem(
            "newer_node",
            f"It was made with version {node.version} of {schema.name}; version {schema.version} is installed.",
            id,
            wanted=f"version {schema.version} or older",
            got=f"version {node.version}",
            fix=f"update {'Darkroom' if schema.package == 'nodes' else f'the plugin {schema.package}'}",
        )
    lifted = node.inputs
    inputs = {name: write_input(value) for name, value in node.inputs.items()}
    for version in range(node.version, schema.version):
        migration = migrations.get((schema.name, version))
        if migration is None:
            return Problem(
                "older_node",
                f"Nothing is known to lift {schema.name} from version {version} to {version + 1}.",
                id,
                wanted=f"version {schema.version}",
                got=f"version {node.version}",
                fix="make the node anew",
            )
        try:
            inputs = migration(inputs)
            lifted = {name: read_input(value) for name, value in inputs.items()}
        except Exception as error:  # a plugin's code: whatever it raises is a fact about this node
            return Problem(
                "migration_failed",
                f"Lifting {schema.name} from version {version} failed: {type(error).__name__}: {error}.",
                id,
                fix="make the node anew, and tell the author of the node",
            )
    return node.model_copy(update={"inputs": lifted, "version": schema.version})
