"""The gallery of templates is what `workflows/` holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import FileProblem, NoSuchFile
from engine.http.user.templates import TEMPLATES, Template, Templates


def test_the_projects_workflows_are_templates() -> None:
    found = {template.name: template for template in Templates().list()}
    assert set(found) >= {path.stem for path in TEMPLATES.glob("*.json")} | {"train/text_to_image"}
    first = found["text_to_image"]
    assert first.title == "Text to image"
    assert first.description
    assert first.nodes == len(Templates().document("text_to_image")["nodes"])  # type: ignore[arg-type]


def test_what_is_no_workflow_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "good_one.json").write_text('{"darkroom": 1, "nodes": {"a": {}}, "category": "basics"}')
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / ".hidden.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "thumbnails").mkdir()
    (tmp_path / "thumbnails" / "good_one.png").write_bytes(b"png")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "same_name.json").write_text('{"darkroom": 1, "nodes": {}, "category": "more"}')
    templates = Templates(tmp_path)
    assert templates.list() == [
        Template("good_one", "Good one", "", "basics", 1, True),
        Template("more/same_name", "Same name", "", "more", 0, False),
    ]
    assert templates.thumbnail("good_one") == tmp_path / "thumbnails" / "good_one.png"
    assert templates.thumbnail("bad") is None
    assert Templates(tmp_path / "missing").list() == []


def test_a_template_is_found_by_name_only(tmp_path: Path) -> None:
    root = tmp_path / "workflows"
    root.mkdir()
    (tmp_path / "secret.json").write_text("{}")
    (root / "link.json").symlink_to(tmp_path / "secret.json")
    templates = Templates(root)
    for name in ("nothing", "link"):
        with pytest.raises(NoSuchFile):
            templates.document(name)
    for name in ("../secret", str(tmp_path / "secret"), "a\0"):
        with pytest.raises(FileProblem):
            templates.document(name)
        with pytest.raises(FileProblem):
            templates.thumbnail(name)
