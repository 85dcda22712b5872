"""A run on the terminal: a listener that draws a line for the whole and one for each node at work, on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from engine.graph.build import Schemas
from engine.run.events import Event, NodeErrored, NodeFinished, NodeProgress, NodeStarted, RunFinished, RunStarted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


class ProgressBar:
    """Call it with a run's events, inside a `with` so that the terminal is left as it was found.

    rich is imported when the first node starts: a run whose results are all known shows nothing.

    Args:
        schemas: know the nodes' titles.
        console: where to draw; by default stderr if that is a terminal, else nowhere.
    """

    def __init__(self, schemas: Schemas, console: Console | None = None) -> None:
        self._schemas = schemas
        self._console = console
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._whole: TaskID | None = None
        self._to_run = 0
        self._done = 0

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted(nodes=nodes, cached=cached):
                self._to_run = len(nodes) - len(cached)
            case NodeStarted(node=node, node_type=node_type):
                self._begin(node, node_type)
            case NodeProgress(node=node, step=step, total=total, text=text):
                self._step(node, step, total, text)
            case NodeFinished(node=node, cached=False) | NodeErrored(node=node):
                self._end(node)
            case RunFinished():
                self.close()
            case _:
                pass

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, node: str, node_type: str) -> None:
        if self._bars is None:
            if self._console is None and not sys.stderr.isatty():
                return
            self._bars = _bars(self._console)
            self._whole = self._bars.add_task("developing", total=self._to_run, text="")
            self._bars.start()
        schema = self._schemas.get(node_type)
        title = schema.title if schema else node_type
        self._tasks[node] = self._bars.add_task(f"  {title}", total=None, text="")

    def _step(self, node: str, step: int, total: int, text: str) -> None:
        if self._bars is not None and node in self._tasks:
            self._bars.update(self._tasks[node], completed=step, total=total, text=text)

    def _end(self, node: str) -> None:
        if self._bars is not None and self._whole is not None and node in self._tasks:
            self._bars.remove_task(self._tasks.pop(node))
            self._done += 1
            self._bars.update(self._whole, completed=self._done, total=max(self._to_run, self._done))


def show_cursor() -> None:
    """Bring the cursor back on the terminal, for a program that ends without closing its bars."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()


def _bars(console: Console | None) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    # Texts come from nodes and workflows: markup in them is not ours.
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=console or Console(stderr=True),
        transient=True,
    )
