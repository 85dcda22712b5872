"""Learned words in prompts: where they stand, and the files they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.errors import ModelFileError
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.text.embeddings import read_embedding
from engine.ldm.text.mentions import embedding_names, split_mentions
from engine.ldm.text.tokenizer import BertTokenizer, train_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.conditions import LearnedWord, WordConditions
from engine.ldm.training.loop import FitSettings, fit
from engine.ldm.weights import open_model, save_model

LENGTH, WIDTH = 8, 16


@pytest.fixture
def embedder() -> BERTEmbedder:
    torch.manual_seed(0)
    vocabulary = train_vocabulary(["a red apple", "a green pear"], 80, whole_words=1)
    config = TextTransformerConfig(WIDTH, 2, len(vocabulary), LENGTH, 2, 8, logits=False)
    return BERTEmbedder(config, BertTokenizer(vocabulary, LENGTH)).eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a red apple", []),
        ("embedding:cat", ["cat"]),
        ("a embedding:cat, red", ["cat"]),
        ("(embedding:style/ink-2) of embedding:cat. embedding:cat", ["style/ink-2", "cat"]),
        ("embedding:cat.safetensors!", ["cat.safetensors"]),
        ("myembedding:cat embedding: embedding:...", []),
    ],
)
def test_a_prompt_mentions_learned_words(text: str, names: list[str]) -> None:
    assert embedding_names(text) == names


def test_the_words_around_a_mention_are_all_that_is_left() -> None:
    assert list(split_mentions("a embedding:cat. on red")) == [("a ", "cat"), (". on red", None)]


def vectors(embedder: BERTEmbedder, word: str) -> Tensor:
    assert embedder.tokenizer is not None
    return embedder.transformer.token_emb.weight[torch.tensor(embedder.tokenizer.pieces(word))]


def test_a_learned_word_with_the_vectors_of_known_ones_is_read_as_they_are(embedder: BERTEmbedder) -> None:
    learned = {"fruit": vectors(embedder, "red apple")}
    said = embedder.encode(["a embedding:fruit, green", "pear"], learned)
    torch.testing.assert_close(said, embedder.encode(["a red apple, green", "pear"]))


def test_learned_words_receive_gradients_in_every_place(embedder: BERTEmbedder) -> None:
    learned = torch.randn(2, WIDTH, requires_grad=True)
    embedder.encode(["embedding:x a embedding:x"], {"x": learned}).square().sum().backward()
    assert learned.grad is not None and (learned.grad.abs().sum(dim=1) > 0).all()


class Imitation:
    """Learn the word that makes a prompt mean what another says."""

    def __init__(self, embedder: BERTEmbedder) -> None:
        self.module = LearnedWord(torch.zeros(2, WIDTH))
        self.conditions = WordConditions(embedder, self.module, "x", ["", ""], ["a {word}"])
        self.wanted = embedder.encode(["a red apple"])
        self.rows = 2

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        said = self.conditions.draw(indices, draw).context
        assert said is not None
        return {"loss": (said - self.wanted).square().mean()}


def test_a_word_learns_to_mean_what_others_mean(embedder: BERTEmbedder) -> None:
    _, history = fit(Imitation(embedder), FitSettings(200, 2, 0.05, warm_up=5))
    first, last = history.losses["loss"][0], history.losses["loss"][-1]
    assert last < 0.05 * first


def test_prompts_are_filled_with_the_word_and_the_caption(embedder: BERTEmbedder) -> None:
    word = LearnedWord(vectors(embedder, "pear"))
    conditions = WordConditions(embedder, word, "x", ["a red apple", "green"], ["{caption}, {word}"])
    said = conditions.draw(torch.tensor([1, 0]), torch.Generator()).context
    torch.testing.assert_close(said, embedder.encode(["green, pear", "a red apple, pear"]))


def test_what_is_too_long_is_cut_within_a_learned_word(embedder: BERTEmbedder) -> None:
    many = vectors(embedder, "red green a apple pear red green a")
    said = embedder.encode(["a embedding:x pear"], {"x": many})
    torch.testing.assert_close(said, embedder.encode(["a red green a apple pear"]))


@pytest.mark.parametrize("name", ["emb_params", "anything"])
@pytest.mark.parametrize("shape", [(WIDTH,), (1, WIDTH)])
def test_a_file_is_read_by_its_only_table(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    table = torch.randn(shape).half()
    save_model(tmp_path / "a.safetensors", {name: table})
    assert read_embedding(open_model(tmp_path / "a.safetensors"), WIDTH).equal(table.float().reshape(1, WIDTH))


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"emb_params": (2, 768)}, "768 wide, this text encoder's are 16"),
        ({"clip_l": (1, 16), "clip_g": (1, 16)}, "holds no learned word"),
        ({"emb_params": (0, 16)}, "holds no learned word"),
        ({"emb_params": (1, 1, 16)}, "holds no learned word"),
    ],
)
def test_a_file_of_something_else_says_so(tmp_path: Path, tensors: dict[str, tuple[int, ...]], words: str) -> None:
    save_model(tmp_path / "a.safetensors", {name: torch.zeros(shape) for name, shape in tensors.items()})
    with pytest.raises(ModelFileError, match=words):
        read_embedding(open_model(tmp_path / "a.safetensors"), WIDTH)
