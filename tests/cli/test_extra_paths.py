"""`--extra-model-paths` reaches the nodes of this process, and those of its workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.node.extra_paths import VARIABLE
from tests.cli.conftest import Program

WHERE = '''
from pathlib import Path
from engine.node import Context, Shown, node

@node(category="words", output=True)
def Where(ctx: Context) -> Shown:
    """Note where models are looked for."""
    Path("roots").write_text(" ".join(map(str, ctx.folders.roots("vae"))))
    return Shown(ui={})
'''


def test_models_are_found_where_a_file_says(darkroom: Program, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    (home / "plugins" / "where.py").write_text(WHERE)
    (home / "where.json").write_text('{"darkroom": 1, "nodes": {"where": {"type": "Where"}}}')
    (home / "one.yaml").write_text("a: {vae: first}")
    (home / "two.yaml").write_text("a: {vae: second, is_default: true}")
    done = darkroom("run", "where.json", "--extra-model-paths", "one.yaml", "--extra-model-paths", "two.yaml")
    assert done.exit_code == 0, done.output
    roots = (home / "roots").read_text().split(" ")
    assert (roots[0], roots[-1]) == (str(home / "second"), str(home / "first"))
    assert os.environ[VARIABLE] == os.pathsep.join([str(home / "one.yaml"), str(home / "two.yaml")])


def test_a_broken_file_is_one_sentence(darkroom: Program, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    (home / "broken.yaml").write_text("a: [")
    done = darkroom("run", "workflow.json", "--extra-model-paths", "broken.yaml")
    assert done.exit_code == 2
    assert "broken.yaml is no YAML: line 1" in done.stderr
    monkeypatch.setenv(VARIABLE, "")
    done = darkroom("validate", "workflow.json", "--extra-model-paths", "missing.yaml")
    assert done.exit_code == 2
    assert "missing.yaml cannot be read" in done.stderr
