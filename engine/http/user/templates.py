"""Templates: workflows that come with Darkroom, to begin from. `workflows/` of the project, never written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from engine.errors import FileProblem, NoSuchFile, WorkflowError
from engine.graph.reading import read_json
from engine.node.folders import PROJECT
from engine.node.names import safe_parts

TEMPLATES = PROJECT / "workflows"
THUMBNAILS = "thumbnails"
THUMBNAIL_TYPES = {".webp": "image/webp", ".png": "image/png"}


@dataclass(frozen=True, slots=True)
class Template:
    """What the gallery shows of a template. `category` is empty where the document names none."""

    name: str
    title: str
    description: str
    category: str
    nodes: int
    has_thumbnail: bool


class Templates:
    """The templates in a folder."""

    def __init__(self, root: Path = TEMPLATES) -> None:
        self.root = root

    def list(self) -> list[Template]:
        """All templates, by category and title. What cannot be read is left out."""
        found: list[Template] = []
        for file in sorted(self.root.rglob("*.json")):
            name = file.relative_to(self.root).with_suffix("").as_posix()
            if not name.startswith(".") and "/." not in name:
                try:
                    found.append(self._described(name, self.document(name)))
                except (FileProblem, WorkflowError):
                    continue
        return sorted(found, key=lambda template: (template.category, template.title.lower()))

    def document(self, name: str) -> Mapping[str, JsonValue]:
        """A template's document.

        Raises:
            NoSuchFile: there is none of that name.
            WorkflowError: its file is no workflow.
        """
        try:
            value = read_json(self._path(name, ".json").read_bytes())
        except OSError as error:
            raise NoSuchFile(f"there is no template {name!r}; choose one of those that are listed") from error
        if not isinstance(value, dict):
            raise NoSuchFile(f"the template {name!r} is no workflow; choose another")
        return value

    def thumbnail(self, name: str) -> Path | None:
        """The picture of what a template makes, if there is one."""
        paths = [self._path(name, suffix, THUMBNAILS) for suffix in THUMBNAIL_TYPES]
        return next((path for path in paths if path.is_file()), None)

    def _described(self, name: str, document: Mapping[str, JsonValue]) -> Template:
        def text(key: str) -> str:
            value = document.get(key)
            return value if isinstance(value, str) else ""

        nodes = document.get("nodes")
        count = len(nodes) if isinstance(nodes, dict) else 0
        title = text("name") or name.rpartition("/")[2].replace("_", " ").capitalize()
        has_thumbnail = self.thumbnail(name) is not None
        return Template(name, title, text("description"), text("category"), count, has_thumbnail)

    def _path(self, name: str, suffix: str, folder: str = "") -> Path:
        path = self.root.joinpath(folder, *safe_parts(name + suffix, "template"))
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise NoSuchFile(f"the template {name!r} is a link that leads elsewhere; put the file itself there")
        return path
