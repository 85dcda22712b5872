"""Part of a training set, for what is learned from a few pictures."""

from __future__ import annotations

import re
from dataclasses import replace

from engine.errors import InputProblem
from engine.node import node
from engine.values import TrainingSet


@node(category="training", title="Choose from Training Set")
def ChooseFromTrainingSet(training_set: TrainingSet, words: str) -> TrainingSet:
    """Keep those pictures of a training set whose captions hold one of some words.

    Args:
        training_set: Latents and captions, from Encode Pictures.
        words: Words or beginnings of words, with commas between; capitals do not matter.
    """
    wanted = [re.escape(word.strip()) for word in words.split(",") if word.strip()]
    found = re.compile(rf"\b({'|'.join(wanted)})", re.IGNORECASE)
    rows = [row for row, texts in enumerate(training_set.captions) if wanted and found.search(texts[0])]
    if not rows:
        raise InputProblem(f"no picture's caption holds any of {words!r}; write words of the captions", "words")
    return replace(
        training_set,
        mean=training_set.mean[rows],
        std=training_set.std[rows],
        captions=tuple(training_set.captions[row] for row in rows),
        groups=tuple(training_set.groups[row] for row in rows),
        pixels=None if training_set.pixels is None else training_set.pixels[rows],
        boxes=tuple(training_set.boxes[row] for row in rows) if training_set.boxes else (),
    )
