"""The second stage of training as a node: three steps on four small pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import Cancelled, InputProblem
from engine.ldm.weights import open_model
from engine.models.handles import VAE
from engine.node import NullContext
from engine.values import TrainingSet
from nodes.loaders import LoadCheckpoint, LoadedCheckpoint
from nodes.text import EncodeText
from nodes.train_autoencoder import TrainAutoencoder
from nodes.train_diffusion import TrainDiffusion
from nodes.training_data import EncodePictures, LoadPictures, Pictures
from tests.nodes.training import AUTOENCODER, Stopping, assert_is_a_curve, losses

DIFFUSION: dict[str, Any] = {
    "name": "words", "channels": 16, "channel_mult": "1,2", "attention_resolutions": "2", "heads": 2, "norm_groups": 4,
    "text_width": 32, "text_depth": 1, "text_length": 8, "vocabulary_size": 100, "steps": 3, "batch_size": 2,
    "sample_every": 0,
}  # fmt: skip


def test_a_trained_model_is_saved_whole_and_reads_words(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    trained = TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    loaded = LoadCheckpoint("words.safetensors", ctx)
    assert (trained.model, trained.clip, trained.vae) == tuple(loaded)
    assert loaded.model.config.parameterization == "v"
    assert loaded.model.config.scale_factor == pytest.approx(1 / float(training_set.mean[:2].std()), rel=1e-2)
    red, green = (EncodeText(text, loaded.clip, ctx).parts[0].context for text in ("red square", "green square"))
    assert red is not None and green is not None and not red.allclose(green)
    assert_is_a_curve(trained.loss_curve)
    facts = json.loads(open_model(ctx.folders.models[0] / "checkpoints/words.safetensors").metadata["darkroom.trained"])
    assert (facts["steps"], facts["pictures_seen"]) == (3, 6)


def test_a_stopped_model_goes_on_with_the_same_losses(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    TrainDiffusion(training_set, vae, ctx, **{**DIFFUSION, "name": "whole"})
    with pytest.raises(Cancelled):
        TrainDiffusion(training_set, vae, Stopping(ctx, after=2), **DIFFUSION)
    TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    assert losses(ctx, "words/diffusion") == losses(ctx, "whole/diffusion")
    watching = Stopping(ctx, after=-1)
    TrainDiffusion(training_set, vae, watching, **DIFFUSION)
    assert watching.steps == []


def test_sheets_of_samples_are_saved_on_the_way(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    TrainDiffusion(EncodePictures(pictures, vae, ctx), vae, ctx, **{**DIFFUSION, "sample_every": 2})
    (sheet,) = (ctx.folders.output / "training" / "words").glob("*.png")
    assert sheet.name == "step 2_00001_.png"


@pytest.mark.parametrize(
    ("input", "value", "words"),
    [
        ("channel_mult", "1;2", "whole numbers with commas"),
        ("attention_resolutions", "x", "whole numbers with commas"),
        ("norm_groups", 3, "3 groups do not divide"),
        ("heads", 5, "5 heads do not divide"),
        ("channel_mult", "1,1,1,1", "multiples of 8, but there are 4 cells"),
    ],
)
def test_a_model_that_cannot_be_built_says_so(
    ctx: NullContext, pictures: Pictures, vae: VAE, input: str, value: object, words: str
) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    with pytest.raises(InputProblem, match=words) as it:
        TrainDiffusion(training_set, vae, ctx, **{**DIFFUSION, input: value})
    assert it.value.input == input
    assert not ctx.folders.output.exists()


def test_text_is_as_wide_as_its_heads_of_32() -> None:
    schema = TrainDiffusion.type.schema.input("text_width")
    assert schema is not None and (schema.minimum, schema.multiple_of) == (32, 32)


def test_a_vocabulary_without_room_for_the_letters_says_so(ctx: NullContext, folder: Path, vae: VAE) -> None:
    letters = "".join(chr(code) for code in range(0x3B1, 0x3B1 + 24)) + "abcdefghijklmnopqrstuvwxyz"
    (folder / "captions.jsonl").write_text(json.dumps({"file": "grey.png", "caption": letters}))
    training_set = EncodePictures(LoadPictures("squares", ctx, 16), vae, ctx)
    with pytest.raises(InputProblem, match="different characters need") as it:
        TrainDiffusion(training_set, vae, ctx, **{**DIFFUSION, "vocabulary_size": 64})
    assert it.value.input == "vocabulary_size"


def test_latents_of_another_autoencoder_are_refused(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    trained = TrainAutoencoder(pictures, ctx, **{**AUTOENCODER, "latent_channels": 3})
    training_set = EncodePictures(pictures, trained.vae, ctx)
    with pytest.raises(InputProblem, match="3 channels, this VAE makes 4") as it:
        TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    assert it.value.input == "training_set"


def test_going_on_with_another_autoencoder_is_refused(loaded: LoadedCheckpoint, ctx: NullContext) -> None:
    other = VAE(loaded.vae.weights, replace(loaded.vae.config, ch=8))
    latents = torch.randn(2, other.config.embed_dim, 8, 8)
    with pytest.raises(InputProblem, match="latents of another autoencoder"):
        TrainDiffusion(TrainingSet(latents, latents, (("a",), ("b",)), ("", "")), other, ctx, start=loaded.model)
