"""A user's home with two small nodes and a workflow, and the program to run in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from engine.cli.program import make_program
from server import open_darkroom

NODES = '''
    """Words in, a text file out."""

    from engine.node import Context, Multiline, Shown, Steps, node


    @node(category="words", aliases=("Text",))
    def Words(ctx: Context, text: Multiline = "hello", steps: Steps = 2) -> str:
        """Give some words.

        Args:
            text: The words.
        """
        for step in range(steps):
            ctx.progress(step + 1, steps, "thinking")
        if text == "bad":
            raise ValueError("these words are bad")
        return text


    @node(category="words/files", output=True)
    def SaveWords(words: str, ctx: Context, filename_prefix: str = "words") -> Shown:
        """Save words to a text file."""
        path = ctx.folders.save(words.encode(), filename_prefix, ".txt")
        return Shown(ui={"files": [{"path": path.relative_to(ctx.folders.output).as_posix()}]})
'''

WORKFLOW = {
    "darkroom": 1,
    "nodes": {
        "words": {"type": "Words", "inputs": {"text": "good"}},
        "save": {"type": "SaveWords", "inputs": {"words": {"from": "words.string"}}},
    },
}

Program = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "words.py").write_text(dedent(NODES))
    (home / "workflow.json").write_text(json.dumps(WORKFLOW))
    monkeypatch.setenv("DARKROOM_HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def darkroom(home: Path) -> Program:
    program = make_program(open_darkroom)

    def call(*arguments: str | Path) -> Result:
        return CliRunner().invoke(program, [str(each) for each in arguments])

    return call
