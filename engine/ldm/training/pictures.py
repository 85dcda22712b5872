"""Captioned pictures for training: a folder, decoded once and held as bytes.

A folder holds pictures and, where there are captions, either `captions.jsonl` (one object a line:
`{"file": "a.webp", "caption": "red apple", "keywords": ["fruit"], "group": "food-drink"}`) or a `.txt` file beside each
picture. Without either, the file's name is the caption.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.errors import FileProblem
from engine.pictures import open_picture

SUFFIXES = frozenset({".png", ".webp", ".jpg", ".jpeg", ".bmp"})


@dataclass(frozen=True)
class Picture:
    """One row of a data set."""

    file: Path
    caption: str
    keywords: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class PictureSet:
    """Pictures in memory. `pixels`: [N, 3, S, S] uint8; `pictures` describes each row."""

    pictures: tuple[Picture, ...]
    pixels: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def batch(self, indices: Tensor) -> Tensor:
        """indices: [B]. Returns [B, 3, S, S] float32 in [-1, 1]."""
        return as_input(self.pixels[indices])


def as_input(pixels: Tensor) -> Tensor:
    """[B, 3, H, W] uint8 as networks take it: float32 in [-1, 1]."""
    return pixels.float() / 127.5 - 1.0


def list_pictures(folder: Path, groups: tuple[str, ...] = ()) -> list[Picture]:
    """Read a folder's captions, in a stable order; only those of `groups`, where given.

    Raises:
        FileProblem: The folder is missing or holds no pictures, or a line of captions.jsonl is broken.
    """
    if not folder.is_dir():
        raise FileProblem(f"the data set folder {folder} does not exist; name a folder that holds pictures")
    index = folder / "captions.jsonl"
    pictures = _from_index(index) if index.is_file() else _from_names(folder)
    chosen = [picture for picture in pictures if not groups or picture.group in groups]
    if not chosen:
        wanted = (
            f"pictures of the groups {', '.join(groups)}" if groups else f"pictures ({', '.join(sorted(SUFFIXES))})"
        )
        raise FileProblem(f"the data set folder {folder} holds no {wanted}; put some there or name another folder")
    return chosen


def _from_index(index: Path) -> list[Picture]:
    pictures: list[Picture] = []
    folder = index.parent.resolve()
    for number, line in enumerate(_text(index).splitlines(), start=1):
        try:
            row: dict[str, Any] = json.loads(line)
            file = (folder / row["file"]).resolve()
            if not file.is_relative_to(folder):
                raise FileProblem(
                    f"{index}, line {number}: {row['file']!r} leads out of the folder; put the file there"
                )
            pictures.append(
                Picture(
                    file,
                    str(row["caption"]),
                    tuple(row.get("keywords", ())),
                    str(row.get("group", "")),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise FileProblem(
                f'{index}, line {number}: wanted {{"file": ..., "caption": ...}}, got {line[:80]!r}; mend the line'
            ) from error
    return pictures


def _from_names(folder: Path) -> list[Picture]:
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return [Picture(file, _sidecar(file)) for file in files]


def _sidecar(file: Path) -> str:
    text = file.with_suffix(".txt")
    if text.is_file():
        return _text(text).strip()
    return file.stem.replace("_", " ").replace("-", " ")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileProblem(f"{file} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise FileProblem(f"{file} cannot be read: {error.strerror or error}") from error


def load_pictures(
    folder: Path, size: int, groups: tuple[str, ...] = (), background: tuple[int, int, int] = (255, 255, 255)
) -> PictureSet:
    """Decode a folder: transparency over `background`, centre crop to a square, resize to `size` (antialiased).

    Args:
        size: S, side of the square in pixels.
        background: RGB, 0 to 255.

    Raises:
        FileProblem: As `list_pictures`, or a picture cannot be decoded.
    """
    pictures = list_pictures(folder, groups)
    pixels = np.empty((len(pictures), size, size, 3), dtype=np.uint8)
    for row, picture in enumerate(pictures):
        pixels[row] = _decode(picture.file, size, background)
    return PictureSet(tuple(pictures), torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())


def _decode(file: Path, size: int, background: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    rgba = open_picture(file).convert("RGBA")
    side = min(rgba.size)
    left, top = (rgba.width - side) // 2, (rgba.height - side) // 2
    ground = Image.new("RGBA", rgba.size, (*background, 255))
    ground.alpha_composite(rgba)
    square = ground.convert("RGB").crop((left, top, left + side, top + side))
    return np.asarray(
        square.resize((size, size), Image.Resampling.BOX if side % size == 0 else Image.Resampling.LANCZOS)
    )
