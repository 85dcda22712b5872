"""Drafts survive, whatever state they are in."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import FileProblem, NoSuchFile
from engine.http.user.drafts import MOST_DRAFTS, Base, Drafts


def test_a_draft_is_kept_changed_listed_and_dropped(tmp_path: Path) -> None:
    times = iter([1.0, 2.0, 3.0])
    drafts = Drafts(tmp_path / "drafts", clock=lambda: next(times))
    assert drafts.list() == []
    drafts.keep("tab-1", {"darkroom": 1, "nodes": {"half": {}}}, None, None)
    drafts.keep("tab-2", {}, "Second", Base(name="a/b", version="f" * 32))
    changed = drafts.keep("tab-1", {"seed": 2**64 - 1}, "First", None)
    assert [draft.id for draft in drafts.list()] == ["tab-1", "tab-2"]
    assert drafts.read("tab-1") == changed == Drafts(tmp_path / "drafts").read("tab-1")
    drafts.drop("tab-1")
    drafts.drop("tab-1")
    with pytest.raises(NoSuchFile):
        drafts.read("tab-1")


@pytest.mark.parametrize("id", ["", "../a", "a/b", "a.json", "x" * 65, "ä", "a\n", "con/", ".", "nul"])
def test_only_plain_ids_are_taken(tmp_path: Path, id: str) -> None:
    drafts = Drafts(tmp_path)
    for attempt in (lambda: drafts.read(id), lambda: drafts.keep(id, {}, None, None), lambda: drafts.drop(id)):
        with pytest.raises(FileProblem, match=r"1 to 64 letters|names a device"):
            attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_draft_is_left_alone_and_hides_no_other(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.keep("good", {}, None, None)
    (tmp_path / "bad.json").write_text('{"id": "bad"')
    assert [draft.id for draft in drafts.list()] == ["good"]
    with pytest.raises(FileProblem, match="cannot be read"):
        drafts.read("bad")
    assert (tmp_path / "bad.json").is_file()


def test_drafts_are_bounded(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    for n in range(MOST_DRAFTS):
        (tmp_path / f"{n}.json").write_text("{}")
    with pytest.raises(FileProblem, match="there are 200 drafts"):
        drafts.keep("one-more", {}, None, None)
    drafts.keep("7", {"changed": True}, None, None)
