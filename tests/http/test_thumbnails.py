"""The cache of thumbnails is bounded, and its files may be damaged or deleted at any time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import FileProblem, NoSuchFile
from engine.http.thumbnails import SIDES, Thumbnails, rounded
from tests.http.drawing import encoded, pixels, scene


def kept(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.webp"))


def test_sizes_are_few() -> None:
    assert [rounded(side) for side in (1, 64, 65, 256, 1024, 10**9)] == [64, 64, 128, 256, 1024, 1024]
    assert {rounded(side) for side in range(1, 5000)} == set(SIDES)


def test_a_damaged_or_deleted_thumbnail_is_made_again(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(encoded(scene(300, 300)))
    thumbnails = Thumbnails(tmp_path / "cache")
    first = thumbnails.get(picture, 64)
    (file,) = kept(tmp_path / "cache")
    for damage in (b"", b"<svg/>", first.data[:-5]):
        file.write_bytes(damage)
        assert thumbnails.get(picture, 64) == first
    file.unlink()
    assert thumbnails.get(picture, 64) == first


def test_what_was_not_looked_at_for_longest_goes_first(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{n}.png" for n in range(6)]
    for n, picture in enumerate(pictures):
        picture.write_bytes(encoded(scene(100 + n, 100)))
    size = len(Thumbnails(tmp_path / "other").get(pictures[0], 64).data)
    thumbnails = Thumbnails(tmp_path / "cache", most_bytes=int(size * 4.5))
    for age, picture in enumerate(pictures[:4]):
        thumbnails.get(picture, 64)
        for file in kept(tmp_path / "cache"):
            os.utime(file, (file.stat().st_atime - 100, file.stat().st_mtime - 100))
        assert len(kept(tmp_path / "cache")) == age + 1
    thumbnails.get(pictures[0], 64)  # looked at again
    thumbnails.get(pictures[4], 64)
    left = kept(tmp_path / "cache")
    assert 2 <= len(left) <= 4
    names = {file.stem for file in left}
    assert {thumbnails.tag(pictures[0], 64), thumbnails.tag(pictures[4], 64)} <= names
    assert thumbnails.tag(pictures[1], 64) not in names


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(encoded(scene(300, 300)))
    (tmp_path / "cache").write_text("a file, not a folder")
    assert pixels(Thumbnails(tmp_path / "cache").get(picture, 64).data).shape[:2] == (64, 64)


def test_what_is_no_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("words")
    thumbnails = Thumbnails(tmp_path / "cache")
    with pytest.raises(FileProblem):
        thumbnails.get(tmp_path / "a.png", 64)
    with pytest.raises(NoSuchFile):
        thumbnails.get(tmp_path / "missing.png", 64)
    assert kept(tmp_path / "cache") == []
