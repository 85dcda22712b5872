"""Boxes to conditioning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import InputProblem
from engine.ldm.checkpoint import save_latent_diffusion
from engine.ldm.classes import CLASSES_KEY
from engine.ldm.conditioners.layout import Box
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.layouts import layout_tokenizer, read_layouts
from engine.ldm.text.transformer import TextTransformerConfig
from engine.models.handles import TextEncoder
from engine.models.manager import ModelManager
from engine.node import NullContext
from nodes.layout import EncodeLayout
from tests.nodes import tiny

NAMES = ("red apple", "green pear")
APPLE = {"label": "Red Apple", "box": [0.0, 0.25, 0.5, 0.5]}
PEAR = {"label": "1", "box": [0.5, 0.5, 0.5, 0.5]}


def save(path: Path, tokens: int, length: int, names: tuple[str, ...] = ()) -> TextEncoder:
    width = tiny.WIDTH
    transformer = TextTransformerConfig(width, 1, tokens, length, 2, 8, logits=False)
    model = LatentDiffusion(replace(tiny.config(), conditioner=transformer))
    save_latent_diffusion(path, model, {CLASSES_KEY: json.dumps(names)} if names else {})
    return TextEncoder.open(path)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    layout = layout_tokenizer(len(NAMES))
    return save(tmp_path_factory.mktemp("layout") / "layout.safetensors", layout.tokens, layout.length, NAMES)


def test_boxes_are_told_by_their_labels_and_corners(clip: TextEncoder, ctx: NullContext, manager: ModelManager):
    (part,) = EncodeLayout(clip, ctx, [APPLE, PEAR]).parts
    tokens = layout_tokenizer(2).encode([Box(0, (0.0, 0.25, 0.5, 0.5)), Box(1, (0.5, 0.5, 0.5, 0.5))])
    with torch.no_grad():
        expected = manager.run(clip, lambda network: network(tokens[None]))
    assert part.context is not None and torch.allclose(part.context, expected, atol=1e-6)


def test_no_boxes_mean_anything(clip: TextEncoder, ctx: NullContext):
    (nothing,), (something,) = EncodeLayout(clip, ctx).parts, EncodeLayout(clip, ctx, [APPLE]).parts
    assert nothing.context is not None and something.context is not None
    assert not torch.allclose(nothing.context, something.context)


def test_what_a_model_does_not_know_is_refused_with_what_it_knows(clip: TextEncoder, ctx: NullContext):
    with pytest.raises(InputProblem, match=r"box 2.*green pair.*did you mean green pear"):
        EncodeLayout(clip, ctx, [APPLE, {"label": "green pair", "box": [0, 0, 0.5, 0.5]}])
    with pytest.raises(InputProblem, match=r"5 boxes.*reads 4"):
        EncodeLayout(clip, ctx, [APPLE] * 5)


def test_a_model_of_the_originals_kind_reads_numbers(tmp_path: Path, ctx: NullContext):
    clip = save(tmp_path / "openimages.safetensors", 8192, 92)
    layouts = read_layouts(clip.weights.open(), TextTransformerConfig(16, 1, 8192, 92, 2, 8))
    assert (layouts.tokenizer.classes, layouts.tokenizer.max_objects, layouts.tokenizer.encode_crop) == (354, 30, True)
    (part,) = EncodeLayout(clip, ctx, [PEAR]).parts
    assert part.context is not None and part.context.shape == (1, 92, tiny.WIDTH)
    with pytest.raises(InputProblem, match="numbers only"):
        EncodeLayout(clip, ctx, [APPLE])
