"""What a model is told about the pictures of a batch while it learns, with some of it left out for guidance.

One class for each kind of conditioning. Each draws the condition of the rows of a batch and trains the conditioner
along, where there is one. Leaving conditions out: Ho & Salimans 2022 (arXiv:2207.12598), algorithm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.autoencoder import Autoencoder
from engine.ldm.condition import Condition
from engine.ldm.conditioners.classes import ClassEmbedder
from engine.ldm.conditioners.layout import Box, LayoutTokenizer
from engine.ldm.conditioners.spatial import SpatialRescaler, inpainting_condition, one_hot_map
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.palette import PALETTE, nearest_colours
from engine.ldm.training.holes import random_holes
from engine.ldm.training.pictures import as_input


class Conditions(Protocol):
    """The conditions of a training set."""

    @property
    def conditioner(self) -> nn.Module | None:
        """What is trained along with the U-Net."""
        ...

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        """The condition of some rows, on any device.

        Args:
            indices: [B] rows of the training set.
            draw: The step's random numbers, on the CPU.
        """
        ...


class NoConditions:
    """Unconditional synthesis."""

    conditioner: nn.Module | None = None

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        return Condition()


class FixedCondition:
    """The same for every picture.

    Args:
        condition: Of one row.
    """

    conditioner: nn.Module | None = None

    def __init__(self, condition: Condition) -> None:
        self.condition = condition

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        parts = (self.condition.concat, self.condition.context, self.condition.y)
        return Condition(*(None if part is None else part.expand(len(indices), *part.shape[1:]) for part in parts))


class CaptionConditions:
    """Text-to-image: captions through a text transformer.

    Args:
        conditioner: Trained along.
        captions: For each picture its texts: the name first, then keywords.
        dropout: Share of captions replaced by "".
    """

    def __init__(self, conditioner: BERTEmbedder, captions: Sequence[Sequence[str]], dropout: float = 0.1) -> None:
        self.conditioner = conditioner
        self.captions = captions
        self.dropout = dropout

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        texts = [caption_variant(self.captions[index], draw, self.dropout) for index in map(int, indices)]
        return Condition(context=self.conditioner.encode(texts))


class LearnedWord(nn.Module):
    """A word that is learned: `vectors` [k, D], as many rows as words it stands for."""

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = nn.Parameter(vectors.clone())


class WordConditions:
    """Textual inversion: every prompt mentions a word whose vectors are learned.

    Args:
        conditioner: Reads the prompts; not trained.
        word: What is trained.
        name: What the word is called in the prompts.
        captions: Of each picture.
        prompts: What to ask for, one at a time by chance: `{word}` stands for the word, `{caption}` for the caption.
    """

    conditioner: nn.Module | None = None

    def __init__(
        self, conditioner: BERTEmbedder, word: LearnedWord, name: str, captions: Sequence[str], prompts: Sequence[str]
    ) -> None:
        self._embedder = conditioner
        self.word = word
        self.name = name
        self.captions = captions
        self.prompts = prompts

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        chosen = torch.randint(len(self.prompts), (len(indices),), generator=draw)
        rows = zip(map(int, indices), map(int, chosen), strict=True)
        return self.ask([self.prompts[which].replace("{caption}", self.captions[row]) for row, which in rows])

    def ask(self, prompts: Sequence[str]) -> Condition:
        """The condition of prompts with `{word}` in them."""
        texts = [prompt.replace("{word}", f"embedding:{self.name}") for prompt in prompts]
        return Condition(context=self._embedder.encode(texts, {self.name: self.word.vectors}))


class ClassConditions:
    """Class-conditional synthesis; the embedder's last label means "no class".

    Args:
        conditioner: Trained along; of one label more than there are classes.
        labels: [N] int64, each picture's class.
        dropout: Share of labels replaced by "no class".
    """

    def __init__(self, conditioner: ClassEmbedder, labels: Tensor, dropout: float = 0.1) -> None:
        self.conditioner = conditioner
        self.labels = labels
        self.dropout = dropout

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        none = self.conditioner.config.n_classes - 1
        left_out = torch.rand(len(indices), generator=draw) < self.dropout
        labels = torch.where(left_out, none, self.labels[indices])
        return Condition(context=self.conditioner(labels.to(self.conditioner.embedding.weight.device)))


class LayoutConditions:
    """Layout-to-image: box tokens through a transformer.

    Args:
        conditioner: Trained along; takes the tokens of `layout`.
        boxes: What is where in each picture.
        dropout: Share of layouts replaced by one without boxes.
    """

    def __init__(
        self,
        conditioner: BERTEmbedder,
        layout: LayoutTokenizer,
        boxes: Sequence[Sequence[Box]],
        dropout: float = 0.1,
    ) -> None:
        self.conditioner = conditioner
        self.layout = layout
        self.boxes = boxes
        self.dropout = dropout

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        chances = torch.rand(len(indices), generator=draw)
        tokens: list[Tensor] = []
        for index, chance in zip(map(int, indices), map(float, chances), strict=True):
            boxes = self.boxes[index]
            order = map(int, torch.randperm(len(boxes), generator=draw))
            tokens.append(self.layout.encode([] if chance < self.dropout else [boxes[place] for place in order]))
        device = self.conditioner.transformer.token_emb.weight.device
        return Condition(context=self.conditioner(torch.stack(tokens).to(device)))


class SmallPictureConditions:
    """Super-resolution: beside the latent lies the picture, as small as the latent.

    Args:
        pixels: [N, 3, H, W] uint8, the pictures.
        factor: f, pixels of a side to one cell of the latent.
    """

    conditioner: nn.Module | None = None

    def __init__(self, pixels: Tensor, factor: int) -> None:
        self.pixels = pixels
        self.factor = factor

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        return Condition(concat=F.avg_pool2d(as_input(self.pixels[indices]), self.factor))


class HoleConditions:
    """Inpainting: beside the latent lie that of the picture without what is in the hole, and the hole.

    Args:
        pixels: [N, 3, S, S] uint8, the pictures.
        first_stage: Encodes them; not trained.
    """

    conditioner: nn.Module | None = None

    def __init__(self, pixels: Tensor, first_stage: Autoencoder) -> None:
        self.pixels = pixels
        self.first_stage = first_stage

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        device = next(self.first_stage.parameters()).device
        holes = random_holes(len(indices), self.pixels.shape[-1], draw).to(device)
        pictures = (as_input(self.pixels[indices]).to(device) + 1) / 2
        with torch.no_grad():
            return Condition(concat=inpainting_condition(pictures, holes, self.first_stage))


class ColourMapConditions:
    """Semantic synthesis: beside the latent lies a map of labels, shrunk by a rescaler that is trained along.

    Args:
        conditioner: From as many channels as the palette has colours.
        pixels: [N, 3, H, W] uint8, the pictures; their maps are of the palette's nearest colours.
    """

    def __init__(self, conditioner: SpatialRescaler, pixels: Tensor) -> None:
        self.conditioner = conditioner
        self.pixels = pixels

    def draw(self, indices: Tensor, draw: torch.Generator) -> Condition:
        labels = nearest_colours(as_input(self.pixels[indices]))
        device = next(self.conditioner.parameters()).device
        return Condition(concat=self.conditioner(one_hot_map(labels, len(PALETTE)).to(device)))


def caption_variant(texts: Sequence[str], draw: torch.Generator, dropout: float) -> str:
    """One way to ask for a picture.

    "" with the probability `dropout`; otherwise, of ten, six times the name, three times the name and up to three
    keywords, once up to three keywords alone.

    Args:
        texts: The name, then any keywords.
    """
    chance, manner = (float(value) for value in torch.rand(2, generator=draw))
    if chance < dropout:
        return ""
    name, keywords = texts[0], texts[1:]
    if manner < 0.6 or not keywords:
        return name
    count = min(len(keywords), 1 + int(torch.randint(3, (1,), generator=draw)))
    chosen = [keywords[index] for index in map(int, torch.randperm(len(keywords), generator=draw)[:count])]
    return ", ".join([name, *chosen] if manner < 0.9 else chosen)
