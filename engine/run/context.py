"""The context that nodes of a run receive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.errors import Cancelled
from engine.node.context import Services
from engine.node.folders import Folders
from engine.run.events import Event, NodePreview, NodeProgress

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class RunContext:
    """Implements `engine.node.context.Context` for one node. Its methods may be called on any thread."""

    node_id: str
    folders: Folders
    services: Services
    emit: Callable[[Event], None]
    is_cancelled: Callable[[], bool]
    prompt_json: str | None = None
    workflow_json: str | None = None
    wants_preview: bool = True
    stop_for_others: Callable[[], None] = lambda: None
    """Cancels the run if others wait."""

    @property
    def cancelled(self) -> bool:
        return self.is_cancelled()

    def check_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled("the run was cancelled")

    def make_way(self) -> None:
        self.stop_for_others()
        self.check_cancelled()

    def progress(self, step: int, total: int, text: str = "") -> None:
        """Say that `step` of `total` steps are done.

        Raises:
            Cancelled: the user asked to stop.
        """
        self.check_cancelled()
        self.emit(NodeProgress(self.node_id, step, total, text))

    def preview(self, image: bytes, media_type: str = "image/jpeg") -> None:
        self.check_cancelled()
        self.emit(NodePreview(self.node_id, image, media_type))

    def service(self, kind: type[S]) -> S:
        return self.services.get(kind)
