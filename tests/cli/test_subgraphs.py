"""Workflows with subgraphs on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Program

NESTED = {
    "darkroom": 1,
    "nodes": {
        "b": {"type": "subgraph:write", "inputs": {"prefix": "b", "words.text": "other"}},
        "a": {"type": "subgraph:write", "inputs": {"prefix": "a"}},
    },
    "subgraphs": {
        "write": {
            "nodes": {
                "words": {"type": "Words", "inputs": {"text": "good"}},
                "save": {"type": "SaveWords", "inputs": {"words": {"from": "words.string"}}},
            },
            "inputs": [{"name": "prefix", "to": ["save.filename_prefix"]}],
            "outputs": [{"name": "words", "from": "words.string"}],
        }
    },
}


@pytest.fixture
def nested(home: Path) -> str:
    (home / "nested.json").write_text(json.dumps(NESTED))
    return "nested.json"


def test_a_workflow_with_subgraphs_runs_and_is_reported(darkroom: Program, home: Path, nested: str) -> None:
    done = darkroom("run", nested, "--set", "b:words.text=better", "--set", "a.prefix=c", "--json", "report.json")
    assert (done.exit_code, done.stdout) == (0, "output/b_00001_.txt\noutput/c_00001_.txt\n")
    assert (home / "output" / "b_00001_.txt").read_text() == "better"
    assert (home / "output" / "c_00001_.txt").read_text() == "good"
    report = json.loads((home / "report.json").read_text())
    assert {id: node["type"] for id, node in report["nodes"].items()} == {
        "b:words": "Words", "b:save": "SaveWords", "a:words": "Words", "a:save": "SaveWords",
    }  # fmt: skip


def test_inner_nodes_and_instances_can_be_explained(darkroom: Program, nested: str) -> None:
    darkroom("run", nested)
    assert darkroom("why", nested, "a:words").stdout == "a:words would not run again: its result is known\n"
    again = darkroom("why", nested, "a", "--set", "a:words.steps=3").stdout.splitlines()
    assert again == [
        "a:save would run again: a:words: input steps was 2, now 3",
        "a:words would run again: a:words: input steps was 2, now 3",
    ]


def test_what_is_not_there_is_refused_by_its_path(darkroom: Program, nested: str) -> None:
    for target in ("a:nobody.text", "a:words.nothing", "a.nothing"):
        refused = darkroom("validate", nested, "--set", f"{target}=1")
        assert refused.exit_code == 2
        assert target.partition(".")[0] in refused.output
    assert darkroom("why", nested, "a:nobody").exit_code == 2


def test_what_comfyuis_editor_saves_runs_and_guesses_are_said(darkroom: Program, home: Path) -> None:
    link = [1, 1, 0, 2, 0, "STRING"]
    saved = {
        "nodes": [
            {"id": 1, "type": "Words", "pos": [0, 0], "widgets_values": ["good", 3, "left over"]},
            {"id": 2, "type": "SaveWords", "inputs": [{"name": "words", "link": 1}], "widgets_values": ["x"]},
        ],
        "links": [link],
        "version": 0.4,
    }
    (home / "saved.json").write_text(json.dumps(saved))
    done = darkroom("run", "saved.json", "--set", "2.filename_prefix=y")
    assert (done.exit_code, done.stdout) == (0, "output/y_00001_.txt\n")
    assert (home / "output" / "y_00001_.txt").read_text() == "good"
    assert "note: 1: " in done.stderr
    assert "left over" in done.stderr
