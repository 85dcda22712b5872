"""What can go wrong with a job besides its workflow."""

from __future__ import annotations

from engine.errors import DarkroomError


class NoSuchJob(DarkroomError):
    """There is no job of this id (any more)."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"There is no job '{id}'; it may have been deleted.")


class JobConflict(DarkroomError):
    """The job is not in a state for this, its id is taken, or an idempotency key was used for something else."""


class NoWorker(DarkroomError):
    """No worker is up that could answer; the message says whether waiting helps."""
