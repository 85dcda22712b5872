"""Pictures are chosen by words of their captions."""

from __future__ import annotations

import pytest
import torch

from engine.errors import InputProblem
from engine.values import TrainingSet
from nodes.training_subset import ChooseFromTrainingSet


@pytest.fixture
def games() -> TrainingSet:
    captions = (("soccer ball", "game"), ("1st place medal",), ("Sports medals",), ("game (die)",))
    mean, pixels = torch.arange(4.0)[:, None, None, None], torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    boxes = tuple(((row, 0.0, 0.0, 1.0, 1.0),) for row in range(4))
    return TrainingSet(mean, mean, captions, ("a", "b", "c", "d"), pixels, boxes, ("x",) * 4)


@pytest.mark.parametrize(
    ("words", "rows"), [("medal", [1, 2]), ("sport, Soccer ball", [0, 2]), ("game,", [3]), ("(die)", [])]
)
def test_pictures_are_kept_whose_names_hold_a_word(games: TrainingSet, words: str, rows: list[int]) -> None:
    if not rows:
        with pytest.raises(InputProblem, match="no picture's caption"):
            ChooseFromTrainingSet(games, words)
        return
    chosen = ChooseFromTrainingSet(games, words)
    assert chosen.mean.flatten().tolist() == chosen.std.flatten().tolist() == rows
    assert chosen.captions == tuple(games.captions[row] for row in rows)
    assert chosen.groups == tuple("abcd"[row] for row in rows)
    assert chosen.pixels is not None and len(chosen.pixels) == len(chosen.boxes) == len(rows)
    assert [each[0][0] for each in chosen.boxes] == rows


@pytest.mark.parametrize("words", ["", " , "])
def test_no_words_choose_nothing(games: TrainingSet, words: str) -> None:
    with pytest.raises(InputProblem, match="no picture's caption"):
        ChooseFromTrainingSet(games, words)
