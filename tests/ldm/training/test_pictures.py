"""Data sets of captioned pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.errors import FileProblem
from engine.ldm.training.pictures import load_pictures


def save(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (8, 8)) -> None:
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(path)


def test_without_captions_the_file_name_is_the_caption(tmp_path: Path):
    save(tmp_path / "red_apple.png", (255, 0, 0))
    assert load_pictures(tmp_path, 4).pictures[0].caption == "red apple"


def test_a_text_beside_a_picture_is_its_caption(tmp_path: Path):
    save(tmp_path / "1.png", (255, 0, 0))
    (tmp_path / "1.txt").write_text("a ripe apple\n")
    assert load_pictures(tmp_path, 4).pictures[0].caption == "a ripe apple"


def test_an_index_gives_captions_keywords_and_groups(tmp_path: Path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name, (255, 0, 0))
    rows = [
        {"file": "a.png", "caption": "apple", "keywords": ["fruit"], "group": "food"},
        {"file": "b.png", "caption": "ball", "group": "things"},
    ]
    (tmp_path / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pictures = load_pictures(tmp_path, 4, ("food",)).pictures
    assert [(picture.caption, picture.keywords) for picture in pictures] == [("apple", ("fruit",))]


def test_pixels_are_scaled_to_minus_one_and_one_and_transparency_shows_the_ground(tmp_path: Path):
    save(tmp_path / "a.png", (0, 0, 0, 255))
    save(tmp_path / "b.png", (0, 0, 0, 0))
    batch = load_pictures(tmp_path, 4).batch(torch.tensor([0, 1]))
    assert batch.shape == (2, 3, 4, 4)
    assert batch[0].eq(-1).all()
    assert batch[1].eq(1).all()


def test_the_middle_of_an_oblong_picture_is_taken(tmp_path: Path):
    picture = Image.new("RGB", (24, 8), (0, 0, 255))
    picture.paste((255, 0, 0), (8, 0, 16, 8))
    picture.save(tmp_path / "a.png")
    pixels = load_pictures(tmp_path, 8).pixels[0]
    assert pixels[0].eq(255).all()
    assert pixels[2].eq(0).all()


@pytest.mark.parametrize("content", ["nonsense", '{"caption": "no file"}', "[]"])
def test_a_broken_line_of_the_index_is_named(tmp_path: Path, content: str):
    (tmp_path / "captions.jsonl").write_text(content + "\n")
    with pytest.raises(FileProblem, match="line 1"):
        load_pictures(tmp_path, 4)


def test_a_broken_picture_is_named(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(FileProblem, match=r"a\.png"):
        load_pictures(tmp_path, 4)


def test_a_missing_or_empty_folder_says_so(tmp_path: Path):
    with pytest.raises(FileProblem, match="does not exist"):
        load_pictures(tmp_path / "none", 4)
    with pytest.raises(FileProblem, match="holds no pictures"):
        load_pictures(tmp_path, 4)
