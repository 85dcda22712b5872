"""What models are told while they learn: small pictures, holes and maps lie where the latent's cells are."""

from __future__ import annotations

import pytest
import torch

from engine.ldm.autoencoder import AutoencoderConfig, AutoencoderKL
from engine.ldm.condition import Condition
from engine.ldm.conditioners.spatial import RescalerConfig, SpatialRescaler
from engine.ldm.palette import PALETTE, nearest_colours, paint
from engine.ldm.training.conditions import ColourMapConditions, HoleConditions, SmallPictureConditions
from engine.ldm.training.diffusion_task import _cut
from engine.ldm.training.holes import random_holes

ROWS = torch.tensor([1, 0])


def halves() -> torch.Tensor:
    """Two pictures [2, 3, 16, 16]: the left half black and the right white, and the other way round."""
    pixels = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    pixels[0, :, :, 8:] = 255
    pixels[1, :, :, :8] = 255
    return pixels


def draw() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_small_picture_is_the_average_of_each_cell():
    concat = SmallPictureConditions(halves(), 4).draw(ROWS, draw()).concat
    assert concat is not None and concat.shape == (2, 3, 4, 4)
    assert torch.equal(concat[0, 0], torch.tensor([1.0, 1.0, -1.0, -1.0]).expand(4, 4))


def test_around_a_hole_there_are_the_latent_and_the_hole_itself():
    torch.manual_seed(0)
    first_stage = AutoencoderKL(AutoencoderConfig(8, (1, 2), 1, 4, 4, resolution=16, norm_groups=4))
    concat = HoleConditions(halves(), first_stage).draw(ROWS, draw()).concat
    assert concat is not None and concat.shape == (2, 5, 8, 8)
    assert set(concat[:, 4].unique().tolist()) == {-1.0, 1.0}
    assert not concat.requires_grad


def test_holes_are_binary_neither_nothing_nor_everything_and_repeat_with_their_seed():
    holes = random_holes(200, 32, draw())
    shares = holes.mean(dim=(1, 2, 3))
    assert set(holes.unique().tolist()) == {0.0, 1.0}
    assert float(shares.min()) > 0.02 and float(shares.max()) < 0.75
    assert 0.15 < float(shares.mean()) < 0.45
    assert torch.equal(holes, random_holes(200, 32, draw()))


def test_a_map_of_colours_is_shrunk_to_the_latent_by_what_is_trained_along():
    torch.manual_seed(0)
    conditions = ColourMapConditions(SpatialRescaler(RescalerConfig(2, len(PALETTE), 3)), halves())
    concat = conditions.draw(ROWS, draw()).concat
    assert concat is not None and concat.shape == (2, 3, 4, 4)
    concat.sum().backward()
    weight = conditions.conditioner.channel_mapper.weight  # type: ignore[union-attr]
    assert weight.grad is not None and weight.grad.abs().sum() > 0


def test_the_palette_finds_its_own_colours():
    labels = torch.arange(len(PALETTE)).view(1, 3, 4)
    assert torch.equal(nearest_colours(paint(labels)), labels)
    names = [name for name, _ in PALETTE]
    colours = torch.tensor([[200, 30, 30], [250, 250, 250], [110, 70, 40]]).T.view(1, 3, 1, 3) / 127.5 - 1
    assert [names[label] for label in nearest_colours(colours).flatten()] == ["red", "white", "brown"]


def test_a_latent_and_what_lies_beside_it_are_cut_at_the_same_place():
    place = torch.arange(64.0).view(1, 1, 8, 8).expand(2, 1, 8, 8)
    context = torch.rand(2, 1, 3)
    z, condition = _cut(place, Condition(concat=-place, context=context), 4, draw())
    assert z.shape == (2, 1, 4, 4)
    assert condition.concat is not None and torch.equal(z, -condition.concat)
    assert condition.context is context
    assert torch.equal(z[0, 0] - z[0, 0, 0, 0], place[0, 0, :4, :4])


@pytest.mark.parametrize("side", [16, 64])
def test_holes_have_the_size_of_the_pictures(side: int):
    assert random_holes(3, side, draw()).shape == (3, 1, side, side)
