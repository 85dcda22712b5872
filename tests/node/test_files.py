"""A reader never meets half a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.errors import FileProblem
from engine.node.files import write_atomically, write_new


def test_writing_replaces_the_whole_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["report.json"]


def test_a_new_file_is_never_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert write_new(path, b"one")
    assert not write_new(path, b"two")
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_file_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    for path in (tmp_path / "file" / "below", tmp_path / "folder"):
        with pytest.raises(FileProblem, match=f"cannot write {path}"):
            write_atomically(path, b"x")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_files_are_readable_as_others_of_this_user_are(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_durable_write_is_on_the_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(tmp_path / "kept.json", b"1", durable=True)
    assert write_new(tmp_path / "new.json", b"2", durable=True)
    assert synced == ["file", "folder", "file", "folder"]
    write_atomically(tmp_path / "cheap.json", b"3")
    assert len(synced) == 4
    assert sorted(os.listdir(tmp_path)) == ["cheap.json", "kept.json", "new.json"]
