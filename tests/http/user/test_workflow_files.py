"""Saved workflows: nothing is overwritten unseen, nothing acknowledged is lost."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import FileProblem, NoSuchFile
from engine.http.user.workflow_files import ANY, KEPT_VERSIONS, NEW, NameTaken, StaleSave, WorkflowFiles


@pytest.fixture
def files(tmp_path: Path) -> WorkflowFiles:
    return WorkflowFiles(tmp_path / "workflows")


def all_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_is_saved_is_read_and_listed(files: WorkflowFiles) -> None:
    assert files.list() == []
    first = files.save("portraits/Studio", b"one", NEW)
    files.save("apple", b"two", NEW)
    assert [entry.name for entry in files.list()] == ["apple", "portraits/Studio"]
    assert files.list()[1] == first
    stored = files.read("portraits/Studio")
    assert (stored.data, stored.version, stored.size) == (b"one", first.version, 3)
    assert (files.root / "portraits" / "Studio.json").read_bytes() == b"one"
    assert files.read("apple.json").data == b"two"


def test_a_save_from_an_older_version_is_refused_with_what_is_there(files: WorkflowFiles) -> None:
    first = files.save("a", b"one", NEW)
    second = files.save("a", b"two", first.version)
    with pytest.raises(StaleSave) as refused:
        files.save("a", b"three", first.version)
    assert refused.value.current is not None
    assert (refused.value.current.version, refused.value.current.data) == (second.version, b"two")
    with pytest.raises(StaleSave):
        files.save("a", b"three", NEW)
    assert files.read("a").data == b"two"
    assert files.save("a", b"three", ANY).version != second.version


def test_saving_what_is_there_already_succeeds_whatever_was_expected(files: WorkflowFiles) -> None:
    first = files.save("a", b"one", NEW)
    second = files.save("a", b"two", first.version)
    assert files.save("a", b"two", first.version) == second
    assert files.save("a", b"two", NEW) == second
    assert [entry.version for entry in files.versions("a")] == [second.version, first.version]


def test_a_deleted_workflow_is_not_saved_over(files: WorkflowFiles) -> None:
    first = files.save("a", b"one", NEW)
    files.delete("a")
    with pytest.raises(StaleSave, match="is not there any more") as refused:
        files.save("a", b"two", first.version)
    assert refused.value.current is None


def test_an_edit_by_hand_makes_a_version_and_is_kept(files: WorkflowFiles) -> None:
    first = files.save("a", b"one", NEW)
    (files.root / "a.json").write_bytes(b"by hand")
    with pytest.raises(StaleSave):
        files.save("a", b"two", first.version)
    by_hand = files.read("a").version
    assert files.list()[0].version == by_hand
    files.save("a", b"two", by_hand)
    assert [files.read_version("a", entry.version).data for entry in files.versions("a")] == [
        b"two",
        b"by hand",
        b"one",
    ]


def test_the_last_versions_are_kept(files: WorkflowFiles) -> None:
    version = NEW
    for n in range(KEPT_VERSIONS + 5):
        version = files.save("deep/a", f"content {n}".encode(), version).version
    kept = files.versions("deep/a")
    assert len(kept) == KEPT_VERSIONS
    assert kept[0].version == version
    assert files.read_version("deep/a", kept[-1].version).data == b"content 5"
    times = [entry.modified for entry in kept]
    assert times == sorted(times, reverse=True)
    with pytest.raises(NoSuchFile, match="there is no version 'ffff'"):
        files.read_version("deep/a", "ffff")


def test_versions_stay_in_order_when_the_clock_is_set_back(tmp_path: Path) -> None:
    times = iter(range(10**18, 0, -(10**15)))
    files = WorkflowFiles(tmp_path, clock_ns=lambda: next(times))
    version = NEW
    for n in range(5):
        version = files.save("a", str(n).encode(), version).version
    assert [files.read_version("a", entry.version).data for entry in files.versions("a")] == [
        b"4",
        b"3",
        b"2",
        b"1",
        b"0",
    ]


def test_a_deleted_workflow_lies_in_the_bin_with_its_versions(files: WorkflowFiles) -> None:
    version = files.save("set/a", b"one", NEW).version
    files.save("set/a", b"two", version)
    with pytest.raises(StaleSave):
        files.delete("set/a", version)
    files.delete("set/a", files.read("set/a").version)
    assert files.list() == []
    assert not (files.root / "set").exists()
    binned = all_files(files.root / ".trash")
    assert [name.partition("/")[2] for name in binned if name.endswith("set/a.json")] == ["set/a.json"]
    assert len(binned) == 3
    with pytest.raises(NoSuchFile):
        files.read("set/a")
    with pytest.raises(NoSuchFile):
        files.delete("set/a")
    with pytest.raises(NoSuchFile):
        files.versions("set/a")


def test_renaming_takes_the_versions_along_and_overwrites_nothing(files: WorkflowFiles) -> None:
    first = files.save("a", b"one", NEW)
    second = files.save("a", b"two", first.version)
    files.save("taken", b"other", NEW)
    with pytest.raises(NameTaken):
        files.rename("a", "taken")
    renamed = files.rename("a", "deep/b")
    assert (renamed.name, renamed.version) == ("deep/b", second.version)
    assert [entry.version for entry in files.versions("deep/b")] == [second.version, first.version]
    assert [entry.name for entry in files.list()] == ["deep/b", "taken"]
    assert files.rename("deep/b", "deep/b") == renamed
    with pytest.raises(NoSuchFile):
        files.rename("a", "c")
    assert files.read("taken").data == b"other"


def test_of_many_saves_at_once_from_one_version_one_wins(files: WorkflowFiles) -> None:
    base = files.save("a", b"base", NEW).version
    start = threading.Barrier(8)

    def save(n: int) -> bool:
        start.wait()
        try:
            files.save("a", f"tab {n}".encode(), base)
        except StaleSave:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(8))) == 1


@pytest.mark.parametrize(
    "name", ["../a", "/etc/a", "a/../../b", ".hidden", "x/.history/y", "con", "a\0b", "", "C:a", "~"]
)
def test_a_name_that_leads_elsewhere_is_refused(files: WorkflowFiles, name: str) -> None:
    files.save("there", b"x", NEW)
    for attempt in (
        lambda: files.read(name),
        lambda: files.save(name, b"x", NEW),
        lambda: files.delete(name),
        lambda: files.rename(name, "fine"),
        lambda: files.rename("there", name),
        lambda: files.versions(name),
        lambda: files.read_version(name, "0" * 32),
    ):
        with pytest.raises(FileProblem):
            attempt()
    assert [entry.name for entry in files.list()] == ["there"]


def test_links_are_not_followed(files: WorkflowFiles, tmp_path: Path) -> None:
    files.save("a", b"x", NEW)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text("{}")
    (files.root / "link").symlink_to(outside)
    (files.root / "secret.json").symlink_to(outside / "secret.json")
    for name in ("link/secret", "secret"):
        with pytest.raises(FileProblem, match="is a link"):
            files.read(name)
        with pytest.raises(FileProblem, match="is a link"):
            files.save(name, b"x", ANY)
    assert (outside / "secret.json").read_text() == "{}"
    assert [entry.name for entry in files.list()] == ["a"]


def test_a_full_or_forbidden_disk_is_an_error_that_says_so(files: WorkflowFiles) -> None:
    files.save("a", b"x", NEW)
    (files.root / "file").write_text("")
    with pytest.raises(FileProblem, match="cannot write"):
        files.save("file/b", b"x", NEW)
    os.remove(files.root / "file")


def test_versions_are_read_from_the_disk_once(files: WorkflowFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.save("a", b"x", NEW)
    long_ago = files.read("a").modified + 60
    later = WorkflowFiles(files.root, clock_ns=lambda: int(long_ago * 1e9))
    listed = later.list()
    reads: list[Path] = []
    real = Path.read_bytes

    def watched(path: Path) -> bytes:
        reads.append(path)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    assert later.list() == listed
    assert reads == []
