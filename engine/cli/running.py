"""`darkroom run`, `validate` and `why`: verbs that take a workflow."""

from __future__ import annotations

import itertools
import json
import os
import signal
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click

from engine.cli.verb import EXIT_CANCELLED, EXIT_FAILED, Open, Verb, end, extra_paths_option, finite, say, writable
from engine.errors import DarkroomError, InputProblem, Problem, WorkflowError
from engine.graph.graph import Graph
from engine.graph.workflow import find_node, no_such_node
from engine.node.files import write_atomically
from engine.node.folders import Folders
from engine.run.cancel import Cancel
from engine.run.console import ProgressBar, show_cursor
from engine.run.darkroom import Settings
from engine.run.engine import Engine
from engine.run.report import Report, report_refusal, report_run, shown_files
from engine.run.result import RunResult

workflow_argument = click.argument("workflow", type=click.Path(path_type=Path))
set_option = click.option(
    "--set", "assignments", multiple=True, metavar="NODE.INPUT=VALUE", help="Set an input; may be given several times."
)
device_option = click.option(
    "--device", default="auto", show_default=True, metavar="auto|cpu|cuda:N|mps", help="Where models run."
)


@click.command(cls=Verb)
@workflow_argument
@set_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    callback=writable,
    help="Folder for the pictures.",
)
@click.option(
    "--json",
    "report",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=writable,
    help="Write a report to this file.",
)
@click.option(
    "--verify-cache",
    type=click.FloatRange(0, 100),
    default=0.0,
    callback=finite,
    metavar="PERCENT",
    help="Compute this share of the known results again, and fail where they differ.",
)
@device_option
@extra_paths_option
@click.pass_context
def run(
    ctx: click.Context,
    workflow: Path,
    assignments: Sequence[str],
    output: Path | None,
    report: Path | None,
    verify_cache: float,
    device: str,
) -> None:
    """Run WORKFLOW (a JSON file, or a PNG that holds one) and print the files it makes.

    \b
    Example:
      darkroom run workflows/text_to_image.json --set prompt.text="a red apple"

    \b
    The report holds outputs (paths), for each node its state, seconds and whether
    it was cached, the peak of memory, and errors.
    """
    folders = Folders.default()
    folders = folders.with_output(output) if output else folders
    try:
        with cast(Open, ctx.obj)(folders, device, verify_share=verify_cache / 100) as darkroom:
            document = darkroom.read(workflow, _settings(assignments), _notice)
            with ProgressBar(darkroom.registry.catalogue) as progress, _cancelled_by_ctrl_c() as cancel:
                result = darkroom.run(document, listener=progress, cancel=cancel)
    except DarkroomError as error:
        if report:
            _write(report, report_refusal(error))
        raise
    if report:
        _write(report, report_run(result, document, folders.output))
    for _, shown in shown_files(result, document):
        click.echo(_short(folders.output / cast(str, shown["path"])))
    _end(result, debug=ctx.meta["debug"])


def _notice(problem: Problem) -> None:
    say(f"note: {problem}")


def _settings(assignments: Sequence[str]) -> Settings:
    settings: dict[str, str] = {}
    for assignment in assignments:
        target, equals, value = assignment.partition("=")
        node, dot, input = target.strip().partition(".")
        if not (equals and dot and node and input):
            raise InputProblem(f"--set {assignment!r} should read NODE.INPUT=VALUE, such as prompt.text='a red apple'")
        settings[f"{node}.{input}"] = value
    return settings


@contextmanager
def _cancelled_by_ctrl_c() -> Generator[Cancel]:
    """A switch that the first Ctrl+C sets, so that the run ends in order; the second ends the program where it is.

    All files are written in one piece, so nothing half-written stays; but a node that does not look whether it is
    cancelled cannot be stopped in any gentler way.
    """
    cancel = Cancel()
    presses = itertools.count(1)  # not `cancel.is_set`: the second may come while the first is being answered

    def stop(signum: int, frame: object) -> None:
        if next(presses) > 1:
            show_cursor()
            os._exit(EXIT_CANCELLED)
        say("stopping after this step; press Ctrl+C again to stop at once")
        cancel.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


def _write(path: Path, report: Report) -> None:
    write_atomically(path, (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode())


def _short(path: Path) -> str:
    """The path as the user would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _end(result: RunResult, debug: bool) -> None:
    for error in result.errors:
        if debug:
            traceback.print_exception(error)
        say(str(error))
    if result.status == "cancelled":
        end("cancelled", EXIT_CANCELLED)
    if result.status == "failed":
        end(_tally(result), EXIT_FAILED)


def _tally(result: RunResult) -> str:
    states = [node.state for node in result.nodes.values()]
    counts = {state: states.count(state) for state in ("failed", "skipped", "ran", "cached")}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) + f" of {len(states)} nodes"


@click.command(cls=Verb)
@workflow_argument
@set_option
@extra_paths_option
@click.pass_obj
def validate(open: Open, workflow: Path, assignments: Sequence[str]) -> None:
    """Check WORKFLOW without running it, and list every problem."""
    with open(Folders.default()) as darkroom:
        graph = darkroom.build(workflow, _settings(assignments), _notice)
    click.echo(f"{workflow} is valid: {len(graph.nodes)} nodes, {len(graph.outputs)} outputs")


@click.command(cls=Verb)
@workflow_argument
@click.argument("node")
@set_option
@device_option
@extra_paths_option
@click.pass_obj
def why(open: Open, workflow: Path, node: str, assignments: Sequence[str], device: str) -> None:
    """Say why NODE of WORKFLOW would run again."""
    with open(Folders.default(), device) as darkroom:
        document = darkroom.read(workflow, _settings(assignments), _notice)
        if find_node(document, node) is None:
            raise WorkflowError([no_such_node(node, document.nodes)])
        graph = darkroom.engine.build(document, [node])
        for target in graph.outputs:  # several, when it is an instance of a subgraph
            click.echo(_reason(darkroom.engine, graph, target))


def _reason(engine: Engine, graph: Graph, node: str) -> str:
    difference = engine.why(graph, node)
    if node not in engine.plan(graph).runs:
        return f"{node} would not run again: its result is known"
    if difference is None:
        return f"{node} would run again: nothing it depends on changed, but its result is not in the cache"
    if difference.old is None and difference.part == "result":
        return f"{node} would run: {difference.node} has not run before"
    return f"{node} would run again: {difference}"
