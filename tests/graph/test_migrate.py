from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.build import build
from engine.graph.graph import Source
from engine.graph.migrate import Migrations
from tests.graph.catalogue import Schemas, edited, linked, problems, schema, workflow

SCHEMAS = Schemas(
    [
        schema("Start", [edited("n", "INT", 1)], "IMAGE"),
        schema("Shrink", [linked("image", "IMAGE"), edited("factor", "FLOAT", 0.5)], version=3, output=True),
    ]
)


def rename_input(inputs: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"image" if name == "pixels" else name: value for name, value in inputs.items()}


def percent_to_factor(inputs: dict[str, JsonValue]) -> dict[str, JsonValue]:
    percent = inputs.pop("percent")
    assert isinstance(percent, int)
    return {**inputs, "factor": percent / 100}


MIGRATIONS: Migrations = {("Shrink", 1): rename_input, ("Shrink", 2): percent_to_factor}


def old(**inputs: Any):
    shrink = {"type": "Shrink", "version": 1, "inputs": {"pixels": {"from": "start.image"}, **inputs}}
    return workflow({"start": {"type": "Start"}, "shrink": shrink})


def test_an_old_node_is_lifted_step_by_step():
    node = build(old(percent=25), SCHEMAS, migrations=MIGRATIONS).nodes["shrink"]
    assert node.literals == {"factor": 0.25}
    assert node.links == {"image": Source("start", 0)}


@pytest.mark.parametrize(
    ("migrations", "code"),
    [({}, "older_node"), ({("Shrink", 1): rename_input}, "older_node"), (MIGRATIONS, "migration_failed")],
)
def test_a_node_that_cannot_be_lifted_says_why(migrations: Migrations, code: str):
    with pytest.raises(WorkflowError) as caught:
        build(old(), SCHEMAS, migrations=migrations)
    assert problems(caught.value) == [(code, "shrink", None)]


def test_a_migration_that_returns_no_input_is_its_own_fault():
    with pytest.raises(WorkflowError) as caught:
        build(old(), SCHEMAS, migrations={("Shrink", 1): lambda _: {"image": {}}, ("Shrink", 2): lambda inputs: inputs})
    assert problems(caught.value) == [("migration_failed", "shrink", None)]
