"""The layouts that a model reads: what may be asked for, by number and by name, and the tokens that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import ModelFileError
from engine.ldm.classes import read_names
from engine.ldm.conditioners.layout import LayoutTokenizer
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.weights import ModelFile

MAX_OBJECTS = 4
GRID = 16
"""Of the models trained here: most objects, and sections of a side of the picture that corners fall on."""


@dataclass(frozen=True)
class Layouts:
    """`names[i]`: what category i is called; none where the file does not know."""

    tokenizer: LayoutTokenizer
    names: Sequence[str] = ()

    def category(self, label: str) -> int | None:
        """The number of a category by its name or number; None if there is none."""
        label = label.strip()
        if label.isascii() and label.isdecimal():
            return int(label) if int(label) < self.tokenizer.classes else None
        found = [index for index, name in enumerate(self.names) if name.lower() == label.lower()]
        return found[0] if found else None


def layout_tokenizer(categories: int) -> LayoutTokenizer:
    """How models trained here read boxes of so many kinds of things: no flags, no crop, corners on a 16 x 16 grid."""
    return LayoutTokenizer(
        classes=categories,
        max_objects=MAX_OBJECTS,
        tokens=max(GRID * GRID, categories + 2),
        encode_crop=False,
        group_flag=False,
        detail_flags=False,
    )


def read_layouts(file: ModelFile, config: TextTransformerConfig) -> Layouts:
    """Find what a layout model knows; one whose file has no names is read as the original's, trained on OpenImages.

    Args:
        config: Of the transformer that reads the tokens.

    Raises:
        ModelFileError: the list of names is damaged, or the transformer reads fewer tokens than a box has.
    """
    names = read_names(file)
    if names:
        return Layouts(layout_tokenizer(len(names)), names)
    objects, rest = divmod(config.max_seq_len, 3)
    if not objects:
        raise ModelFileError(f"{file.path} reads {config.max_seq_len} tokens, fewer than a box has; use Encode Text")
    return Layouts(LayoutTokenizer(max_objects=objects, tokens=config.vocab_size, encode_crop=rest == 2))
