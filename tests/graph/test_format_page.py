"""docs/workflow-format.md tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

from engine.graph.document import dumps, loads
from engine.graph.layout import Form, Layout
from engine.graph.workflow import Workflow, WorkflowNode

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "workflow-format.md").read_text()


def test_the_examples_are_canonical_workflows():
    examples = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert dumps(loads(example)) == example


def test_every_key_is_described():
    for key in (*Workflow.model_fields, *WorkflowNode.model_fields, *Layout.model_fields, *Form.model_fields):
        assert f"`{key}`" in PAGE


def test_every_problem_is_listed_and_no_other():
    table = PAGE[PAGE.index("## Problems") :]
    listed = {code for row in re.findall(r"^\|(.*?)\|", table, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)}
    raised: set[str] = set()
    for file in (PROJECT / "engine" / "graph").glob("*.py"):
        raised.update(re.findall(r'(?:Problem|refuse|LiteralError)\(\s*"(\w+)"', file.read_text()))
    assert listed == raised
