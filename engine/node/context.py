"""What a node's body may ask of the run it is part of, and nothing else.

A body that takes a parameter annotated `Context` receives one; the executor makes it. `NullContext` serves tests and
calls from plain Python.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from engine.errors import Cancelled, DarkroomError
from engine.node.folders import Folders

S = TypeVar("S")


class Context(Protocol):
    """Progress, previews, cancellation, folders and services for one call of one node."""

    @property
    def node_id(self) -> str:
        """Id of the node in the workflow."""
        ...

    @property
    def folders(self) -> Folders:
        """The user's folders: the only way from a name in a workflow to a file."""
        ...

    @property
    def prompt_json(self) -> str | None:
        """The prompt being run, as the JSON text that goes into a saved picture; None when it must not be saved."""
        ...

    @property
    def workflow_json(self) -> str | None:
        """The workflow document the prompt came from, as JSON text, if there is one."""
        ...

    @property
    def wants_preview(self) -> bool:
        """Whether anybody looks at previews; making one costs time."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the user asked to stop."""
        ...

    def check_cancelled(self) -> None:
        """Stop here if the user asked to: call it once per step.

        Raises:
            Cancelled: the user asked to stop.
        """
        ...

    def make_way(self) -> None:
        """Stop here if other jobs wait; this one is run again after them. For what goes on where it stopped, and may
        be stopped between any two steps.

        Raises:
            Cancelled: others wait.
        """
        ...

    def progress(self, step: int, total: int, text: str = "") -> None:
        """Say that `step` of `total` steps are done."""
        ...

    def preview(self, image: bytes, media_type: str = "image/jpeg") -> None:
        """Show a picture of work in progress, already encoded."""
        ...

    def service(self, kind: type[S]) -> S:
        """The one object of class `kind` that the program was started with, such as the model manager.

        Raises:
            DarkroomError: the program was started without one.
        """
        ...


class Services:
    """Objects made in the composition root, found by class.

    Args:
        services: the objects.
        later: makes more of them when one is asked for that is not among `services`, once. So a run that needs no model
            does not import what holds models.
    """

    def __init__(self, *services: object, later: Callable[[], Iterable[object]] | None = None) -> None:
        self._services = services
        self._later = later
        self._lock = threading.Lock()

    def get(self, kind: type[S]) -> S:
        """The service of class `kind`.

        Raises:
            DarkroomError: there is none.
        """
        found = self._find(kind)
        if found is None:
            with self._lock:
                if self._later is not None:
                    make, self._later = self._later, None
                    self._services = (*self._services, *make())
            found = self._find(kind)
        if found is None:
            known = ", ".join(type(service).__name__ for service in self._services) or "none"
            raise DarkroomError(
                f"there is no {kind.__name__} here (services: {known}); hand one to the engine when it is made"
            )
        return found

    def _find(self, kind: type[S]) -> S | None:
        return next((service for service in self._services if isinstance(service, kind)), None)


class NullContext:
    """A context for calling nodes from plain Python: nobody listens, nothing is cancelled.

    Args:
        folders: where the node finds and writes files; the user's own folders by default.
        services: what `service` finds.
    """

    wants_preview = False
    prompt_json: str | None = None
    workflow_json: str | None = None

    def __init__(self, folders: Folders | None = None, *services: object, node_id: str = "node") -> None:
        self.folders = folders or Folders.default()
        self.node_id = node_id
        self.cancelled = False
        self._services = Services(*services)

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled("stopped")

    def make_way(self) -> None:
        """Nobody waits."""

    def progress(self, step: int, total: int, text: str = "") -> None:
        """Nobody listens."""

    def preview(self, image: bytes, media_type: str = "image/jpeg") -> None:
        """Nobody looks."""

    def service(self, kind: type[S]) -> S:
        return self._services.get(kind)
