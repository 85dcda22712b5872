"""The first stage of training as a node: three steps on four small pictures."""

from __future__ import annotations

import pytest
import torch

from engine.errors import Cancelled, FileProblem, InputProblem
from engine.node import NullContext
from engine.values import Image
from nodes.loaders import LoadAutoencoder
from nodes.train_autoencoder import TrainAutoencoder
from nodes.training_data import Pictures
from nodes.vae import VAEDecode, VAEEncode
from tests.nodes.training import AUTOENCODER, Stopping, assert_is_a_curve, losses


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
