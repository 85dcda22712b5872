"""Drafts: what stands in the editor's open tabs and is not saved; a closed tab or a killed server loses none of it.

The editor sends a draft within a second of every edit; what was answered lies on the disk.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from engine.errors import FileProblem, NoSuchFile
from engine.node.files import flush_folder, write_atomically
from engine.node.names import safe_parts

MOST_DRAFTS = 200
DRAFT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Base(BaseModel):
    """The saved workflow that a draft changes, and the version it was opened at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(max_length=1024)]
    version: Annotated[str, Field(max_length=64)]


class Draft(BaseModel):
    """A tab's document. It may be unfinished in every way; `base` is None when it was never saved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    modified: float
    """In seconds since 1970."""
    title: Annotated[str, Field(max_length=1000)] | None = None
    base: Base | None = None
    workflow: dict[str, JsonValue]


class Drafts:
    """The drafts in a folder, one file each. Safe across threads.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self._clock = clock
        self._lock = threading.Lock()

    def list(self) -> list[Draft]:
        """All drafts, the one changed last first. A damaged file is left out, and left alone."""
        found: list[Draft] = []
        for id in self._ids():
            with suppress(FileProblem):
                found.append(self.read(id))
        return sorted(found, key=lambda draft: -draft.modified)

    def read(self, id: str) -> Draft:
        """One draft.

        Raises:
            NoSuchFile: there is none with that id.
            FileProblem: it cannot be read.
        """
        path = self._path(id)
        try:
            return Draft.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise NoSuchFile(f"there is no draft {id!r}; it was saved or thrown away") from error
        except (OSError, ValidationError) as error:
            raise FileProblem(f"the draft {path} cannot be read: {error}") from error

    def keep(self, id: str, workflow: dict[str, JsonValue], title: str | None, base: Base | None) -> Draft:
        """Store a draft in place of what it was before; when this returns, the disk has it.

        Raises:
            FileProblem: that is no id, there are too many drafts, or the disk refuses.
        """
        path = self._path(id)
        with self._lock:
            if not path.exists() and len(self._ids()) >= MOST_DRAFTS:
                raise FileProblem(f"there are {MOST_DRAFTS} drafts already; save or throw away some of them")
            draft = Draft(id=id, modified=self._clock(), title=title, base=base, workflow=workflow)
            write_atomically(path, draft.model_dump_json().encode(), durable=True)
            return draft

    def drop(self, id: str) -> None:
        """Throw a draft away; it may be gone already.

        Raises:
            FileProblem: that is no id, or the disk refuses.
        """
        path = self._path(id)
        with self._lock:
            try:
                path.unlink()
            except FileNotFoundError:
                return
            except OSError as error:
                raise FileProblem(f"cannot delete {path}: {error.strerror or error}") from error
            flush_folder(self.root)

    def _ids(self) -> list[str]:
        names = os.listdir(self.root) if self.root.is_dir() else []
        ids = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return [id for id in ids if DRAFT_ID.fullmatch(id)]

    def _path(self, id: str) -> Path:
        if not DRAFT_ID.fullmatch(id):
            raise FileProblem("a draft's id has 1 to 64 letters, digits, - and _; choose such a one")
        return self.root.joinpath(*safe_parts(f"{id}.json", "draft"))
