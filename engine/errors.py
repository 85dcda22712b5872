"""Everything that can go wrong, as one small tree.

    DarkroomError
    ├── WorkflowError      the graph cannot run: every problem at once (`.problems`)
    ├── NodeFailed         a node raised while running; carries the node's id and type
    ├── Cancelled          the user asked to stop
    ├── PluginError        a plugin cannot be loaded
    ├── FileProblem        a file is missing, unreadable, truncated or of another kind
    │   ├── NoSuchFile     nothing has that name
    │   └── ModelFileError keys missing, unused or wrongly shaped; pickles
    ├── InputProblem       a node was given a value it cannot use
    └── OutOfMemory        a model does not fit, with what was needed and free

A message is a sentence for the user: what was wanted, what came, what to do. Developers get the traceback by `from`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


class DarkroomError(Exception):
    """Base of all errors whose message is meant for the user."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a workflow.

    `code` is a stable snake_case name (`unknown_node`, `missing_input`, `value_out_of_range`, ...); `node` and `input`
    say where; `wanted`, `got` and `fix` are short phrases for people; `fix` starts with a verb.
    """

    code: str
    message: str
    node: str | None = None
    input: str | None = None
    wanted: str | None = None
    got: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        where = f"{self.node}.{self.input}: " if self.node and self.input else f"{self.node}: " if self.node else ""
        return f"{where}{self.message}" + (f" {self.fix[0].upper()}{self.fix[1:]}." if self.fix else "")

    def to_json(self) -> dict[str, str | None]:
        return asdict(self)


class WorkflowError(DarkroomError):
    """The graph cannot run; `problems` holds every reason, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NodeFailed(DarkroomError):
    """A node raised while running, because of `input` where that is known. `__cause__` is what it raised."""

    def __init__(self, node: str, node_type: str, message: str, input: str | None = None) -> None:
        self.node, self.node_type, self.reason, self.input = node, node_type, message, input
        super().__init__(f"{node}{f'.{input}' if input else ''} ({node_type}): {message}")


class Cancelled(DarkroomError):
    """The user asked to stop."""


class PluginError(DarkroomError):
    """A plugin cannot be loaded; it is listed with this reason and stops nothing."""


class FileProblem(DarkroomError):
    """A file is missing, unreadable, truncated or of another kind."""


class NoSuchFile(FileProblem):
    """Nothing has that name; says the nearest that there are, where it knows some."""


class ModelFileError(FileProblem):
    """A model file whose keys are missing, unused or wrongly shaped, or that is a pickle."""


class InputProblem(DarkroomError):
    """A node was given a value it cannot use; `input` names the input where that is known."""

    def __init__(self, message: str, input: str | None = None) -> None:
        self.input = input
        super().__init__(message)


class OutOfMemory(DarkroomError):
    """A model or an image does not fit in the device's memory; says how much was needed and free."""
