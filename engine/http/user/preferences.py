"""The editor's settings: `<user>/settings.json`. Known keys are checked, unknown ones kept for whoever wrote them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from engine.errors import FileProblem, InputProblem, WorkflowError
from engine.graph.reading import read_json
from engine.node.files import write_atomically

MOST_BYTES = 256 * 1024


class Preferences(BaseModel):
    """What the user chose; the defaults hold where nothing was."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    theme: Literal["system", "dark", "light"] = "system"
    motion: Literal["system", "full", "reduced"] = "system"
    """How much moves on the page."""
    snap: bool = True
    """Whether nodes snap to the grid when they are dragged."""
    grid: Annotated[int, Field(ge=4, le=128)] = 16
    """The grid's step, in the canvas's pixels."""
    minimap: bool = True
    previews: bool = True
    """Whether sampling shows pictures of work in progress."""
    confirm_delete: bool = True
    """Ask before files and history are deleted."""
    view: Literal["graph", "form"] = "graph"
    """How a workflow with a form opens."""
    hints: bool = True
    """Whether first steps are still pointed out."""


class PreferencesFile:
    """The settings on the disk. Safe across threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> Preferences:
        """The settings. A value that does not fit, edited by hand, counts as not chosen; so does a damaged file."""
        stored = self._stored()
        while True:
            try:
                return Preferences.model_validate(stored)
            except ValidationError as error:
                wrong = {each["loc"][0] for each in error.errors(include_url=False)}
                stored = {key: value for key, value in stored.items() if key not in wrong}

    def change(self, changes: Mapping[str, JsonValue]) -> Preferences:
        """Change some keys; null takes one back to its default. When this returns, the disk has it.

        Raises:
            InputProblem: a value does not fit its key, or the whole is larger than 256 kB.
            FileProblem: the disk refuses.
        """
        with self._lock:
            stored = {**self.read().model_dump(exclude_unset=True), **changes}
            stored = {key: value for key, value in stored.items() if value is not None}
            try:
                preferences = Preferences.model_validate(stored)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                key, wanted = str(first["loc"][0]), first["msg"].replace("Input should be ", "")
                raise InputProblem(f"the setting {key!r} should be {wanted}", key) from error
            data = orjson.dumps(stored, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            if len(data) > MOST_BYTES:
                raise InputProblem(f"the settings would have {len(data):,} bytes; at most {MOST_BYTES:,} are kept")
            write_atomically(self.path, data, durable=True)
            return preferences

    def _stored(self) -> dict[str, JsonValue]:
        try:
            value = read_json(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise FileProblem(f"cannot read {self.path}: {error.strerror or error}") from error
        except WorkflowError:
            return {}
        return value if isinstance(value, dict) else {}
