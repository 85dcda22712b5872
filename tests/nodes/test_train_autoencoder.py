"""The first stage of training as a node: three steps on four small pictures."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from engine.errors import Cancelled, FileProblem, InputProblem
from engine.ldm.weights import open_model
from engine.node import NullContext
from engine.values import Image
from nodes.classifier import TrainClassifier
from nodes.loaders import LoadAutoencoder
from nodes.train_autoencoder import TrainAutoencoder
from nodes.training_data import Pictures
from nodes.vae import VAEDecode, VAEEncode
from tests.nodes.training import AUTOENCODER, Stopping, Telling, assert_is_a_curve, losses


def test_a_trained_autoencoder_is_saved_and_encodes(ctx: NullContext, pictures: Pictures) -> None:
    trained = TrainAutoencoder(pictures, ctx, **AUTOENCODER)
    assert trained.vae == LoadAutoencoder("small.safetensors", ctx)
    assert_is_a_curve(trained.loss_curve)
    latent = VAEEncode(Image(torch.rand(1, 16, 16, 3)), trained.vae, ctx)
    assert latent.samples.shape == (1, 4, 8, 8)
    assert VAEDecode(latent, trained.vae, ctx).pixels.shape == (1, 16, 16, 3)


def test_a_stopped_autoencoder_goes_on_with_the_same_losses(ctx: NullContext, pictures: Pictures) -> None:
    whole = TrainAutoencoder(pictures, ctx, **{**AUTOENCODER, "name": "whole"})
    stopping = Stopping(ctx, after=1)
    with pytest.raises(Cancelled):
        TrainAutoencoder(pictures, stopping, **AUTOENCODER)
    assert not (ctx.folders.models[0] / "vae" / "small.safetensors").exists()
    resumed = TrainAutoencoder(pictures, ctx, **AUTOENCODER)
    assert losses(ctx, "small/autoencoder") == losses(ctx, "whole/autoencoder")
    assert len(losses(ctx, "small/autoencoder")["loss"]) == 3
    picture = Image(torch.rand(1, 16, 16, 3))
    one, other = (VAEEncode(picture, trained.vae, ctx).samples for trained in (whole, resumed))
    assert one.equal(other)


def test_a_finished_autoencoder_is_not_trained_again(ctx: NullContext, pictures: Pictures) -> None:
    TrainAutoencoder(pictures, ctx, **AUTOENCODER)
    watching = Stopping(ctx, after=-1)
    TrainAutoencoder(pictures, watching, **AUTOENCODER)
    assert watching.steps == []
    TrainAutoencoder(pictures, watching, **{**AUTOENCODER, "steps": 5})
    assert watching.steps == [4, 5]


@pytest.mark.parametrize(
    ("input", "value", "words"),
    [
        ("channel_mult", "1,two", "whole numbers with commas"),
        ("channel_mult", "", "whole numbers with commas"),
        ("channel_mult", "1,0", "whole numbers with commas"),
        ("channel_mult", "1,1,1,1,1,1", "multiples of 32, but there are 16 pixels"),
        ("norm_groups", 3, "3 groups do not divide"),
        ("name", "../small", "small"),
    ],
)
def test_an_autoencoder_that_cannot_be_built_says_so(
    ctx: NullContext, pictures: Pictures, input: str, value: object, words: str
) -> None:
    with pytest.raises((InputProblem, FileProblem), match=words) as it:
        TrainAutoencoder(pictures, ctx, **{**AUTOENCODER, input: value})
    assert getattr(it.value, "input", input) == input
    assert not ctx.folders.output.exists()


# ------------------------------------------------------------------------------------------------------- VQ and the GAN


VQ: dict[str, Any] = {**AUTOENCODER, "name": "snapped", "kind": "vq", "codebook_size": 16}


def test_a_trained_vq_autoencoder_is_saved_under_the_originals_names_and_loaded(
    ctx: NullContext, pictures: Pictures
) -> None:
    trained = TrainAutoencoder(pictures, ctx, **VQ)
    assert trained.vae == LoadAutoencoder("snapped.safetensors", ctx)
    assert trained.vae.config.n_embed == 16
    latent = VAEEncode(Image(torch.rand(1, 16, 16, 3)), trained.vae, ctx)
    assert latent.samples.shape == (1, 4, 8, 8)
    assert VAEDecode(latent, trained.vae, ctx).pixels.shape == (1, 16, 16, 3)
    file = open_model(ctx.folders.models[0] / "vae/snapped.safetensors")
    assert file.shapes()["quantize.embedding.weight"] == (16, 4)
    assert {name.split(".")[0] for name in file.shapes()} == {
        "encoder", "decoder", "quantize", "quant_conv", "post_quant_conv"
    }  # fmt: skip
    use = json.loads(file.metadata["darkroom.codebook"])
    assert use["entries"] == 16 and 1 <= use["perplexity"] <= use["used"] <= 16


def test_use_of_the_codebook_is_told_on_the_way_and_drawn(ctx: NullContext, pictures: Pictures) -> None:
    telling = Telling(ctx)
    curve = TrainAutoencoder(pictures, telling, **VQ).loss_curve
    assert len(telling.words) == 3 and all("entries, perplexity" in text for text in telling.words)
    plain = TrainAutoencoder(pictures, ctx, **AUTOENCODER).loss_curve
    assert curve.pixels.shape[1] > plain.pixels.shape[1]  # a strip for each measure of the codebook


def test_a_classifier_and_a_discriminator_take_part(ctx: NullContext, pictures: Pictures) -> None:
    kinds = {"name": "kinds", "widths": "4,8", "steps": 1, "batch_size": 2}
    classifier = TrainClassifier(pictures, ctx, **kinds).classifier
    judged = {**AUTOENCODER, "disc_weight": 0.5, "disc_start": 1, "disc_channels": 4, "disc_layers": 1}
    TrainAutoencoder(pictures, ctx, **judged, pyramid_weight=0.0, classifier=classifier)
    seen = losses(ctx, "small/autoencoder")
    assert len(seen["loss"]) == 3 and len(seen["adversary_loss"]) == 2
    assert min(seen["perceptual"]) > 0 and max(seen["perceptual"]) < 2


def test_accumulated_pictures_are_counted(ctx: NullContext, pictures: Pictures) -> None:
    TrainAutoencoder(pictures, ctx, **AUTOENCODER, accumulate=2)
    file = open_model(ctx.folders.models[0] / "vae/small.safetensors")
    assert json.loads(file.metadata["darkroom.trained"])["pictures_seen"] == 12


def test_pictures_above_their_copies_are_saved_on_the_way(ctx: NullContext, pictures: Pictures) -> None:
    TrainAutoencoder(pictures, ctx, **VQ, sample_every=2)
    (sheet,) = (ctx.folders.output / "training" / "snapped").glob("*.png")
    assert sheet.name == "step 2_00001_.png"


def test_a_fork_goes_on_from_another_training_and_leaves_it_alone(ctx: NullContext, pictures: Pictures) -> None:
    TrainAutoencoder(pictures, ctx, **VQ)
    before = losses(ctx, "snapped/autoencoder")
    settings = {**VQ, "name": "fork", "steps": 5, "disc_weight": 0.5, "disc_start": 4, "disc_channels": 4}
    TrainAutoencoder(pictures, ctx, **{**settings, "disc_layers": 1}, fork_from="snapped")
    after = losses(ctx, "fork/autoencoder")
    assert after["loss"][:3] == before["loss"] and len(after["loss"]) == 5 and len(after["adversary_loss"]) == 1
    assert losses(ctx, "snapped/autoencoder") == before


def test_a_discriminator_too_deep_for_the_pictures_is_refused_before_training(
    ctx: NullContext, pictures: Pictures
) -> None:
    judged = {**AUTOENCODER, "disc_weight": 0.5, "disc_start": 0, "disc_channels": 4}
    with pytest.raises(InputProblem, match="3 halvings sees no patch in pictures of 16 pixels; use 2 at most") as it:
        TrainAutoencoder(pictures, ctx, **judged, disc_layers=3)
    assert it.value.input == "disc_layers" and not ctx.folders.output.exists()
    TrainAutoencoder(pictures, ctx, **judged, disc_layers=2)
