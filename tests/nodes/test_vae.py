"""Pixels to latents and back."""

from __future__ import annotations

import pytest
import torch

from engine.errors import InputProblem
from engine.node import NullContext
from engine.values import Image, Latent
from nodes.loaders import LoadedCheckpoint
from nodes.vae import VAEDecode, VAEEncode
from tests.nodes.tiny import FACTOR


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_a_picture_becomes_a_latent_and_a_latent_a_picture(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    latent = VAEEncode(Image(noise(2, 32, 16, 3)), loaded.vae, ctx)
    assert latent.samples.shape == (2, 4, 32 // FACTOR, 16 // FACTOR)
    image = VAEDecode(latent, loaded.vae, ctx)
    assert image.pixels.shape == (2, 32, 16, 3)
    assert image.pixels.min() >= 0 and image.pixels.max() <= 1
    assert image.pixels.dtype == torch.float32


def test_decoding_clamps_what_the_network_exaggerates(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    pixels = VAEDecode(Latent(noise(1, 4, 4, 4) * 1e3), loaded.vae, ctx).pixels
    assert pixels.min() >= 0 and pixels.max() <= 1


def test_encoding_is_the_mode_and_draws_nothing(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    image = Image(noise(1, 16, 16, 3))
    first, second = (VAEEncode(image, loaded.vae, ctx).samples for _ in range(2))
    assert first.equal(second)


def test_odd_sides_are_cropped_in_the_middle(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    pixels = noise(1, 18, 23, 3)  # 2 rows and 3 columns too many
    cropped = VAEEncode(Image(pixels[:, 1:17, 1:21]), loaded.vae, ctx)
    latent = VAEEncode(Image(pixels), loaded.vae, ctx)
    assert latent.samples.shape == (1, 4, 4, 5)
    assert latent.samples.equal(cropped.samples)


def test_transparency_is_left_out(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    pixels = noise(1, 16, 16, 4)
    with_alpha, without = (VAEEncode(Image(each), loaded.vae, ctx) for each in (pixels, pixels[..., :3]))
    assert with_alpha.samples.equal(without.samples)


def test_a_picture_smaller_than_a_cell_is_refused(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    with pytest.raises(InputProblem, match=r"3x16 .*at least 4") as raised:
        VAEEncode(Image(noise(1, 16, 3, 3)), loaded.vae, ctx)
    assert raised.value.input == "pixels"


def test_a_latent_of_another_model_is_refused(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    with pytest.raises(InputProblem, match=r"16 channels, this VAE decodes 4; use the VAE of the model") as raised:
        VAEDecode(Latent(noise(1, 16, 4, 4)), loaded.vae, ctx)
    assert raised.value.input == "samples"
