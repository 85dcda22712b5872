"""The second stage learns: its loss falls, and captions are dropped and varied as asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.ldm.conditioners.classes import ClassConfig, ClassEmbedder
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.latent_diffusion import DiffusionWrapper
from engine.ldm.schedules import NoiseSchedule
from engine.ldm.text.tokenizer import BertTokenizer, train_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.conditions import (
    CaptionConditions,
    ClassConditions,
    Conditions,
    NoConditions,
    caption_variant,
)
from engine.ldm.training.diffusion_task import DiffusionTask
from engine.ldm.training.loop import FitSettings, fit
from engine.ldm.training.objective import DiffusionObjective
from engine.ldm.unet import UNetConfig, UNetModel

SETTINGS = FitSettings(steps=30, batch_size=4, learning_rate=3e-3, warm_up=3)


@pytest.mark.parametrize("parameterization", ["eps", "v", "x0"])
def test_the_second_stage_learns_to_denoise(parameterization: str):
    torch.manual_seed(0)
    vocabulary = train_vocabulary(["square 0", "square 1", "square 2", "square 3"], 60, 1)
    encoder = BERTEmbedder(
        TextTransformerConfig(32, 1, len(vocabulary), 8, 2, 16, logits=False), BertTokenizer(vocabulary, 8)
    )
    unet = UNetModel(UNetConfig(4, 4, 16, (1, 2), 1, (2,), num_heads=2, context_dim=32, norm_groups=4))
    schedule = NoiseSchedule.named("linear", linear_start=0.0015, linear_end=0.0195)
    objective = replace(DiffusionObjective(schedule), parameterization=parameterization)  # type: ignore[arg-type]
    mean = torch.randn(4, 4, 4, 4)
    captions = [(f"square {row}", "flat") for row in range(4)]
    conditions = CaptionConditions(encoder, captions)
    task = DiffusionTask(DiffusionWrapper(unet), conditions, mean, torch.zeros_like(mean), 1.0, objective)
    _, history = fit(task, replace(SETTINGS, steps=60, batch_size=8))
    assert sum(history.losses["loss"][-10:]) < 0.8 * sum(history.losses["loss"][:10])
    assert encoder.transformer.token_emb.weight.grad is not None


def test_high_noise_moves_timesteps_to_the_noisiest_two_fifths():
    def drawn(share: float) -> torch.Tensor:
        unet = UNetModel(UNetConfig(4, 4, 16, (1,), 1, norm_groups=4))
        schedule = NoiseSchedule.named("linear")
        task = DiffusionTask(
            DiffusionWrapper(unet),
            NoConditions(),
            torch.zeros(1, 4, 4, 4),
            torch.zeros(1, 4, 4, 4),
            1.0,
            DiffusionObjective(schedule),
            high_noise=share,
        )
        return task._timesteps(4000, torch.Generator().manual_seed(0))

    uniform, all_high, half = drawn(0.0), drawn(1.0), drawn(0.5)
    assert uniform.min() == 0 and uniform.max() == 999
    assert all_high.min() == 600 and all_high.max() == 999
    assert float((half >= 600).float().mean()) == pytest.approx(0.5 + 0.5 * 0.4, abs=0.03)


def test_captions_are_dropped_as_often_as_asked_and_otherwise_vary():
    draw = torch.Generator().manual_seed(0)
    drawn = [caption_variant(("red apple", "fruit", "food"), draw, 0.2) for _ in range(2000)]
    assert drawn.count("") / 2000 == pytest.approx(0.2, abs=0.03)
    assert drawn.count("red apple") / 2000 == pytest.approx(0.8 * 0.6, abs=0.04)
    assert "red apple, fruit" in drawn
    assert "food" in drawn


def test_a_picture_without_keywords_always_goes_by_its_name():
    draw = torch.Generator().manual_seed(0)
    assert {caption_variant(("ball",), draw, 0.0) for _ in range(50)} == {"ball"}


def test_a_model_of_classes_learns_which_is_which():
    torch.manual_seed(0)
    embedder = ClassEmbedder(ClassConfig(32, 3))
    unet = UNetModel(UNetConfig(4, 4, 16, (1, 2), 1, (2,), num_heads=2, context_dim=32, norm_groups=4))
    objective = DiffusionObjective(NoiseSchedule.named("linear", linear_start=0.0015, linear_end=0.0195), "v")
    mean = torch.stack([torch.ones(4, 4, 4), -torch.ones(4, 4, 4)])
    conditions: Conditions = ClassConditions(embedder, torch.tensor([0, 1]), dropout=0.1)
    task = DiffusionTask(DiffusionWrapper(unet), conditions, mean, torch.zeros_like(mean), 1.0, objective)
    fit(task, replace(SETTINGS, steps=80, batch_size=8))
    with torch.no_grad():  # at pure noise only the class says what is there: v = -x0
        noise, t = torch.randn(1, 4, 4, 4), torch.tensor([999])
        answers = [unet(noise, t, embedder(torch.tensor([label]))).mean() for label in (0, 1)]
    assert answers[0] < -0.3 and answers[1] > 0.3


def test_classes_are_left_out_as_often_as_asked():
    embedder = ClassEmbedder(ClassConfig(1, 3))
    with torch.no_grad():
        embedder.embedding.weight.copy_(torch.tensor([[0.0], [1.0], [2.0]]))
    conditions = ClassConditions(embedder, torch.tensor([0, 1]), dropout=0.25)
    context = conditions.draw(torch.arange(4000) % 2, torch.Generator().manual_seed(0)).context
    assert context is not None and context.shape == (4000, 1, 1)
    shares = [float((context == label).float().mean()) for label in range(3)]
    assert shares == pytest.approx([0.375, 0.375, 0.25], abs=0.03)
