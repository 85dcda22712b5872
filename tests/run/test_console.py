"""A run on the terminal."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from engine.node.catalogue import Catalogue
from engine.node.schema import NodeSchema
from engine.run.console import ProgressBar
from engine.run.events import Event, NodeErrored, NodeFinished, NodeProgress, NodeStarted, RunFinished, RunStarted

SCHEMA = NodeSchema(name="KSampler", title="[bold]KSampler", version=1, category="", help="", inputs=(), outputs=())
CATALOGUE = Catalogue([SCHEMA])
EVENTS: list[Event] = [
    RunStarted("run", ["sampler", "save", "known"], ["known"]),
    NodeStarted("sampler", "KSampler"),
    NodeProgress("sampler", 3, 20, "sigma [red]2.1"),
    NodeFinished("sampler", False, 1.0),
    NodeStarted("save", "KSampler"),
    NodeErrored("save", "KSampler", ValueError("full")),
    RunFinished("run", "failed", 1.0),
]


def test_a_run_draws_the_node_at_work_and_leaves_a_clean_terminal() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    with ProgressBar(CATALOGUE, console) as bar:
        for event in EVENTS[:3]:
            bar(event)
        bar.close()
        shown = screen.getvalue()
    assert "developing" in shown
    assert "[bold]KSampler" in shown  # a node's text is never markup
    assert "3/20" in shown
    assert "sigma [red]2.1" in shown
    assert shown.endswith("\x1b[2K")  # the last thing it does is to erase its lines


def test_events_of_a_whole_run_are_taken_in_any_state() -> None:
    screen = io.StringIO()
    with ProgressBar(CATALOGUE, Console(file=screen, force_terminal=True, width=120)) as bar:
        for event in [*EVENTS, *EVENTS[3:]]:
            bar(event)
    assert "2/2" in screen.getvalue()


def test_nothing_is_drawn_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    with ProgressBar(CATALOGUE) as bar:
        for event in EVENTS:
            bar(event)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
