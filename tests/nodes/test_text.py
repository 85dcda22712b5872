"""Words to conditioning."""

from __future__ import annotations

import torch

from engine.node import NullContext
from engine.values import Conditioning
from nodes.loaders import LoadedCheckpoint
from nodes.text import EncodeText
from tests.nodes import tiny


def context(conditioning: Conditioning) -> torch.Tensor:
    (part,) = conditioning.parts
    assert part.context is not None
    return part.context


def test_words_become_one_row_of_vectors(apple: Conditioning) -> None:
    assert context(apple).shape == (1, tiny.TOKENS, tiny.WIDTH)
    assert context(apple).dtype == torch.float32
    assert context(apple).isfinite().all()


def test_other_words_become_other_vectors_and_the_same_words_the_same(
    ctx: NullContext, loaded: LoadedCheckpoint, apple: Conditioning
) -> None:
    assert context(apple).equal(context(EncodeText("a red apple", loaded.clip, ctx)))
    assert not context(apple).allclose(context(EncodeText("a green pear", loaded.clip, ctx)))


def test_empty_and_endless_words_are_read_too(
    ctx: NullContext, loaded: LoadedCheckpoint, nothing: Conditioning
) -> None:
    assert context(nothing).shape == (1, tiny.TOKENS, tiny.WIDTH)
    assert context(EncodeText("apple " * 1000, loaded.clip, ctx)).shape == (1, tiny.TOKENS, tiny.WIDTH)
    assert context(EncodeText("\u7ea2\u82f9\u679c \U0001f34e", loaded.clip, ctx)).isfinite().all()
