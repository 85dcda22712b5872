"""Learned words in a prompt: `embedding:NAME`, as in ComfyUI. Importable without torch."""

from __future__ import annotations

import re
from collections.abc import Iterator

MENTION = re.compile(r"(?<![^\s,(])embedding:([^\s,()]+)")
ENDS = ".;:!?"
"""What may follow a name in a sentence without being part of it."""


def embedding_names(text: str) -> list[str]:
    """The learned words that a prompt mentions, each once."""
    return list(dict.fromkeys(name for _, name in split_mentions(text) if name is not None))


def split_mentions(text: str) -> Iterator[tuple[str, str | None]]:
    """A prompt in pieces: ordinary words, then the learned word that follows them, None after the last."""
    start = 0
    for mention in MENTION.finditer(text):
        name = mention[1].rstrip(ENDS)
        if name:
            yield text[start : mention.start()], name
            start = mention.start(1) + len(name)
    yield text[start:], None
