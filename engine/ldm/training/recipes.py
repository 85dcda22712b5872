"""How a model is conditioned, from its training set to its samples: one recipe for each kind of conditioning.

A recipe completes the model's configuration, gives the conditions to train on, and samples to see how far training is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor

from engine.ldm.classes import CLASSES_KEY
from engine.ldm.condition import Condition
from engine.ldm.conditioners.classes import ClassConfig, ClassEmbedder
from engine.ldm.conditioners.layout import Box
from engine.ldm.conditioners.spatial import RescalerConfig, SpatialRescaler
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.layouts import layout_tokenizer
from engine.ldm.palette import PALETTE
from engine.ldm.text.tokenizer import BertTokenizer, train_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.conditions import (
    CaptionConditions,
    ClassConditions,
    ColourMapConditions,
    Conditions,
    HoleConditions,
    LayoutConditions,
    NoConditions,
    SmallPictureConditions,
)
from engine.ldm.training.stages import sample_captions, sample_conditions


class Recipe(Protocol):
    """How a model is conditioned."""

    @property
    def tokenizer(self) -> BertTokenizer | None:
        """What reads captions."""
        ...

    @property
    def metadata(self) -> Mapping[str, str]:
        """What to note in the checkpoint: what the recipe knows and the networks do not."""
        ...

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        """The configuration of an unconditional model with this conditioning filled in."""
        ...

    def conditions(self, model: LatentDiffusion) -> Conditions:
        """What to train a model on; its conditioner is the model's."""
        ...

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        """Pictures to judge the training by, with the same noise each time: [count, H, W, 3] in [0, 1]."""
        ...


class Unconditional:
    """Synthesis without any condition."""

    def __init__(self) -> None:
        self.tokenizer = None
        self.metadata: Mapping[str, str] = {}

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return config

    def conditions(self, model: LatentDiffusion) -> Conditions:
        return NoConditions()

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        return sample_conditions(model, count, Condition())


class TextToImage:
    """Captions through a text transformer, which is trained along.

    Args:
        captions: For each picture its texts: the name first, then keywords.
        width: Of the transformer, in heads of 32.
        length: Of a prompt in tokens, two of them its start and end.
        vocabulary_size: Most tokens; every word of the captions gets one of its own first.
        dropout: Share of captions left out.

    Raises:
        ValueError: the vocabulary is too small for the letters alone.
    """

    def __init__(
        self,
        captions: Sequence[Sequence[str]],
        width: int,
        depth: int,
        length: int,
        vocabulary_size: int,
        dropout: float = 0.1,
    ) -> None:
        texts = [text for texts in captions for text in texts]
        vocabulary = train_vocabulary(texts, vocabulary_size, whole_words=1)
        self.tokenizer = BertTokenizer(vocabulary, length)
        self.metadata: Mapping[str, str] = {}
        self._captions = captions
        self._dropout = dropout
        self._transformer = TextTransformerConfig(width, depth, len(vocabulary), length, width // 32, 32, logits=False)

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return _attending(replace(config, conditioner=self._transformer), self._transformer.dim)

    def conditions(self, model: LatentDiffusion) -> Conditions:
        assert isinstance(model.cond_stage_model, BERTEmbedder)
        return CaptionConditions(model.cond_stage_model, self._captions, self._dropout)

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        names = [texts[0] for texts in self._captions]
        return sample_captions(model, names[:: max(1, len(names) // count)][:count])


class ClassConditional:
    """One learned vector for each class, and one for "no class".

    Args:
        names: Each picture's class.
        width: Of the vectors.
        dropout: Share of labels replaced by "no class".
    """

    def __init__(self, names: Sequence[str], width: int, dropout: float = 0.1) -> None:
        self.tokenizer = None
        self._classes = sorted(set(names))
        self._labels = torch.tensor([self._classes.index(name) for name in names])
        self._width = width
        self._dropout = dropout

    @property
    def metadata(self) -> Mapping[str, str]:
        return {CLASSES_KEY: json.dumps(self._classes)}

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return _attending(replace(config, conditioner=ClassConfig(self._width, len(self._classes) + 1)), self._width)

    def conditions(self, model: LatentDiffusion) -> Conditions:
        assert isinstance(model.cond_stage_model, ClassEmbedder)
        return ClassConditions(model.cond_stage_model, self._labels, self._dropout)

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        classes = len(self._classes)
        labels = torch.arange(count, device=model.device) * classes // count
        wanted, nothing = (model.encode_condition(each) for each in (labels, torch.full_like(labels, classes)))
        return sample_conditions(model, count, wanted, nothing)


class LayoutToImage:
    """Box tokens through a transformer, which is trained along.

    Args:
        boxes: What is where in each picture.
        names: Of the categories.
        width: Of the transformer, in heads of 32.
        dropout: Share of layouts left out.
    """

    def __init__(
        self, boxes: Sequence[Sequence[Box]], names: Sequence[str], width: int, depth: int, dropout: float = 0.1
    ) -> None:
        self.tokenizer = None
        self.metadata: Mapping[str, str] = {CLASSES_KEY: json.dumps(list(names))}
        self._boxes = boxes
        self._dropout = dropout
        self._layout = layout_tokenizer(len(names))
        self._transformer = TextTransformerConfig(
            width, depth, self._layout.tokens, self._layout.length, width // 32, 32, logits=False
        )

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return _attending(replace(config, conditioner=self._transformer), self._transformer.dim)

    def conditions(self, model: LatentDiffusion) -> Conditions:
        assert isinstance(model.cond_stage_model, BERTEmbedder)
        return LayoutConditions(model.cond_stage_model, self._layout, self._boxes, self._dropout)

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        tokens = torch.stack([self._layout.encode(boxes) for boxes in self._boxes[:count]])
        nothing = self._layout.encode([]).expand_as(tokens)
        with torch.no_grad():
            told, left_out = (model.encode_condition(each.to(model.device)) for each in (tokens, nothing))
        return sample_conditions(model, len(tokens), told, left_out, cfg_scale=2.0)


class SuperResolution:
    """The picture itself, as small as the latent, beside it.

    Args:
        pixels: [N, 3, H, W] uint8, the pictures.
        factor: f, pixels of a side to one cell of the latent.
    """

    def __init__(self, pixels: Tensor, factor: int) -> None:
        self.tokenizer = None
        self.metadata: Mapping[str, str] = {}
        self._conditions = SmallPictureConditions(pixels, factor)

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return _beside(config, 3)

    def conditions(self, model: LatentDiffusion) -> Conditions:
        return self._conditions

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        return _spread(model, self._conditions, len(self._conditions.pixels), count // 4)


class Inpainting:
    """The picture without what is in a hole, beside the latent, and the hole.

    Args:
        pixels: [N, 3, S, S] uint8, the pictures.
    """

    def __init__(self, pixels: Tensor) -> None:
        self.tokenizer = None
        self.metadata: Mapping[str, str] = {}
        self._pixels = pixels

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return _beside(config, config.unet.out_channels + 1)

    def conditions(self, model: LatentDiffusion) -> Conditions:
        assert model.first_stage_model is not None
        return HoleConditions(self._pixels, model.first_stage_model)

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        return _spread(model, self.conditions(model), len(self._pixels), count)


class SemanticSynthesis:
    """A map of colours, shrunk by a rescaler that is trained along, beside the latent.

    Args:
        pixels: [N, 3, H, W] uint8, the pictures, from which the maps are derived.
        factor: f, pixels of a side to one cell of the latent: a power of 2.
    """

    def __init__(self, pixels: Tensor, factor: int) -> None:
        self.tokenizer = None
        self.metadata: Mapping[str, str] = {}
        self._pixels = pixels
        self._rescaler = RescalerConfig(factor.bit_length() - 1, len(PALETTE), 3)

    def complete(self, config: LatentDiffusionConfig) -> LatentDiffusionConfig:
        return _beside(replace(config, conditioner=self._rescaler), 3)

    def conditions(self, model: LatentDiffusion) -> Conditions:
        assert isinstance(model.cond_stage_model, SpatialRescaler)
        return ColourMapConditions(model.cond_stage_model, self._pixels)

    def samples(self, model: LatentDiffusion, count: int) -> Tensor:
        return _spread(model, self.conditions(model), len(self._pixels), count)


def _beside(config: LatentDiffusionConfig, channels: int) -> LatentDiffusionConfig:
    """The configuration with as many channels beside the latent."""
    unet = replace(config.unet, in_channels=config.unet.out_channels + channels)
    return replace(config, unet=unet, conditioning_key="concat")


def _spread(model: LatentDiffusion, conditions: Conditions, rows: int, count: int) -> Tensor:
    """Samples for rows from all over the training set."""
    indices = torch.arange(0, rows, max(1, rows // count))[:count]
    with torch.no_grad():
        condition = conditions.draw(indices, torch.Generator().manual_seed(0))
    assert condition.concat is not None
    return sample_conditions(model, len(indices), replace(condition, concat=condition.concat.to(model.device)))


def _attending(config: LatentDiffusionConfig, width: int) -> LatentDiffusionConfig:
    """The configuration with cross-attention to a context of this width."""
    return replace(config, unet=replace(config.unet, context_dim=width), conditioning_key="crossattn")
