"""docs/nodes.md tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

import engine.node
from engine.node.packages import Found, find_packages
from engine.node.registry import Registry

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "nodes.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def registry_of_examples(directory: Path) -> Registry:
    for index, example in enumerate(EXAMPLES):
        (directory / f"example{index}.py").write_text(example)
    found = find_packages([directory], installed=False)
    return Registry(Found(found.packages[1:], found.refused))


def test_every_example_loads(tmp_path: Path) -> None:
    registry = registry_of_examples(tmp_path)
    assert [plugin.problems for plugin in registry.plugins] == [()] * len(EXAMPLES)
    assert {schema.name for schema in registry.catalogue} == {"Fade", "Everything", "SplitImage", "SaveText", "Dim"}


def test_the_example_migration_lifts(tmp_path: Path) -> None:
    migrations = registry_of_examples(tmp_path).migrations
    assert migrations["Dim", 1]({"strength": 0.3}) == {"amount": 0.3}


def test_every_name_of_the_authoring_interface_is_on_the_page() -> None:
    missing = [name for name in engine.node.__all__ if not re.search(rf"\b{name}\b", PAGE)]
    assert missing == []
