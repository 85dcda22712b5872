"""Models that are told what lies beside the latent: small pictures and maps of colours; and large ones in patches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import InputProblem, ModelFileError
from engine.ldm.conditioners.spatial import RescalerConfig, one_hot_map
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.label_maps import read_rescaler
from engine.ldm.palette import PALETTE, nearest_colours, paint
from engine.models.handles import Model
from engine.node import NullContext
from engine.values import Image, Latent
from nodes.colour_map import EncodeColourMap
from nodes.sampling import KSampler, SampleInPatches
from nodes.super_resolution import EncodeSmallPicture
from tests.nodes import tiny


def beside(config: LatentDiffusionConfig, rescaler: RescalerConfig | None = None) -> LatentDiffusionConfig:
    """The tiny model without words, with a picture's three channels beside the latent."""
    unet = replace(config.unet, in_channels=7, context_dim=None)
    return replace(config, unet=unet, conditioner=rescaler, conditioning_key="concat")


@pytest.fixture(scope="session")
def super_resolution(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("x4") / "x4.safetensors"
    return Model.open(tiny.save_checkpoint(path, beside(tiny.config())))


@pytest.fixture(scope="session")
def semantic(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("semantic") / "semantic.safetensors"
    return Model.open(tiny.save_checkpoint(path, beside(tiny.config(), RescalerConfig(2, len(PALETTE), 3))))


def noise(height: int, width: int, channels: int = 3) -> Image:
    return Image(torch.rand(1, height, width, channels, generator=torch.Generator().manual_seed(0)))


def test_a_small_picture_lies_beside_a_latent_of_its_size(super_resolution: Model):
    small = noise(8, 12, channels=4)
    told = EncodeSmallPicture(small, super_resolution)
    (part,) = told.conditioning.parts
    assert part.concat is not None and told.latent.samples.shape == (1, 4, 8, 12)
    assert torch.equal(part.concat[0], small.pixels[0, ..., :3].movedim(-1, 0) * 2 - 1)


def test_a_small_picture_is_cut_in_its_middle_to_what_the_model_can_halve(super_resolution: Model):
    small = noise(9, 12)
    (part,) = EncodeSmallPicture(small, super_resolution).conditioning.parts
    assert part.concat is not None
    assert torch.equal(part.concat, small.pixels[:, :8].movedim(-1, 1) * 2 - 1)
    with pytest.raises(InputProblem, match="enlarge"):
        EncodeSmallPicture(noise(1, 12), super_resolution)


def test_a_model_of_words_takes_no_small_picture(models: Path):
    with pytest.raises(InputProblem, match="super-resolution"):
        EncodeSmallPicture(noise(8, 8), Model.open(models / "checkpoints" / "tiny.safetensors"))


async def test_a_small_picture_decides_what_is_drawn(super_resolution: Model, ctx: NullContext):
    drawn: list[Latent] = []
    for value in (0.1, 0.9):
        told = EncodeSmallPicture(Image(torch.full((1, 8, 8, 3), value)), super_resolution)
        condition = told.conditioning
        drawn.append(await KSampler(super_resolution, condition, condition, told.latent, ctx, steps=2, cfg=1.0))
    assert not torch.allclose(drawn[0].samples, drawn[1].samples, atol=0.01)


def test_any_picture_is_a_map_of_the_nearest_colours(semantic: Model):
    picture = noise(17, 24)
    told = EncodeColourMap(picture, semantic)
    labels = nearest_colours(picture.pixels[:, :16].movedim(-1, 1) * 2 - 1)
    assert torch.allclose(told.map.pixels, (paint(labels).movedim(1, -1) + 1) / 2)
    (part,) = told.conditioning.parts
    with torch.no_grad():
        expected = read_rescaler(semantic.weights.open(), semantic.config)(one_hot_map(labels, len(PALETTE)))
    assert part.concat is not None and torch.equal(part.concat, expected)
    assert told.latent.samples.shape == (1, 4, 4, 6)


def test_a_model_of_other_labels_takes_no_colours(super_resolution: Model, tmp_path: Path):
    with pytest.raises(ModelFileError, match="label maps"):
        EncodeColourMap(noise(16, 16), super_resolution)
    other = beside(tiny.config(), RescalerConfig(2, 5, 3))
    model = Model.open(tiny.save_checkpoint(tmp_path / "five.safetensors", other))
    with pytest.raises(InputProblem, match="5 labels"):
        EncodeColourMap(noise(16, 16), model)


async def test_a_latent_no_larger_than_a_patch_is_sampled_as_without_patches(super_resolution: Model, ctx: NullContext):
    told = EncodeSmallPicture(noise(8, 12), super_resolution)
    whole, patched = [
        await KSampler(model, told.conditioning, told.conditioning, told.latent, ctx, steps=2, cfg=1.0)
        for model in (super_resolution, SampleInPatches(super_resolution, size=16))
    ]
    assert torch.allclose(whole.samples, patched.samples, rtol=1e-4, atol=1e-4)  # blending divides by the weights


async def test_what_is_far_away_in_another_patch_changes_nothing(super_resolution: Model, ctx: NullContext):
    model = SampleInPatches(super_resolution, size=8, overlap=0.5)
    small = noise(8, 24)
    other = Image(torch.cat([small.pixels[:, :, :20], 1 - small.pixels[:, :, 20:]], dim=2))
    drawn: list[Latent] = []
    for picture in (small, other):
        told = EncodeSmallPicture(picture, model)
        drawn.append(await KSampler(model, told.conditioning, told.conditioning, told.latent, ctx, steps=1, cfg=1.0))
    assert torch.equal(drawn[0].samples[..., :12], drawn[1].samples[..., :12])
    assert not torch.equal(drawn[0].samples[..., 16:], drawn[1].samples[..., 16:])


def test_models_in_patches_need_no_second_copy_of_their_weights(super_resolution: Model):
    assert SampleInPatches(super_resolution).network == super_resolution
