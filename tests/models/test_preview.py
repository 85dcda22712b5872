from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.models import preview
from engine.models.device import Device
from engine.models.handles import VAE, Model
from engine.models.manager import ModelManager
from engine.models.preview import CellColours, Previews
from tests.nodes import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.open(tiny.save_checkpoint(tmp_path_factory.mktemp("models") / "tiny.safetensors", tiny.config()))


@pytest.fixture(scope="module")
def manager() -> ModelManager:
    return ModelManager(Device(), 2**30)


class Clock:
    """A clock that stands still but for what each look at it is said to take."""

    def __init__(self) -> None:
        self.now, self.cost = 100.0, 0.0

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


class Shown:
    def __init__(self) -> None:
        self.pictures: list[Image.Image] = []

    def __call__(self, jpeg: bytes) -> None:
        self.pictures.append(Image.open(io.BytesIO(jpeg)))


def latents(batch: int, side: int = 8) -> Tensor:
    return torch.randn(batch, 4, side, side, generator=torch.Generator().manual_seed(1))


def test_a_small_latent_is_decoded_by_the_checkpoints_own_first_stage(manager: ModelManager, model: Model) -> None:
    shown = Shown()
    Previews(manager, model, shown).offer(latents(1))
    (picture,) = shown.pictures
    assert (picture.format, picture.size) == ("JPEG", (256, 256))
    assert model.first_stage is not None
    with manager.use(model.first_stage) as network, torch.inference_mode():
        pixels = network.decode(latents(1) / model.config.scale_factor)[0] / 2 + 0.5
    small = torch.from_numpy(np.array(picture.resize((8, 8), Image.Resampling.BOX))) / 255
    wanted = torch.nn.functional.avg_pool2d(pixels.clamp(0, 1), 4).movedim(0, -1)
    assert (small - wanted).abs().mean() < 0.03  # what JPEG and enlarging change


@pytest.mark.parametrize(("batch", "size"), [(1, (256, 256)), (2, (256, 128)), (3, (256, 256)), (9, (256, 256))])
def test_a_batch_is_shown_as_a_sheet_of_at_most_four(
    manager: ModelManager, model: Model, batch: int, size: tuple[int, int]
) -> None:
    shown = Shown()
    Previews(manager, model, shown).offer(latents(batch))
    assert shown.pictures[0].size == size


def test_large_pictures_are_shown_smaller(manager: ModelManager, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "QUICK_OPERATIONS", {"cpu": math.inf})
    shown = Shown()
    Previews(manager, model, shown).offer(latents(1, side=160))
    assert shown.pictures[0].size == (512, 512)


def test_pictures_come_at_most_five_times_a_second(manager: ModelManager, model: Model) -> None:
    shown, clock = Shown(), Clock()
    previews = Previews(manager, model, shown, clock)
    for _ in range(101):
        previews.offer(latents(1))
        clock.now += 0.0101
    assert len(shown.pictures) == 6


def test_dear_pictures_come_rarely(manager: ModelManager, model: Model) -> None:
    shown, clock = Shown(), Clock()
    previews = Previews(manager, model, shown, clock)
    previews.offer(latents(1))
    clock.now += 1
    clock.cost = 0.5
    previews.offer(latents(1))
    clock.cost = 0.0
    clock.now += 4
    previews.offer(latents(1))
    assert len(shown.pictures) == 2
    clock.now += 1
    previews.offer(latents(1))
    assert len(shown.pictures) == 3


class Affine(torch.nn.Module):
    """A decoder whose cells are a linear function of the latent."""

    def decode(self, z: Tensor) -> Tensor:
        colours = torch.einsum("bchw,cd->bdhw", z, torch.arange(12.0).reshape(4, 3) / 20 - 0.2) + 0.1
        return colours.repeat_interleave(4, 2).repeat_interleave(4, 3)


class AffineVAE(VAE):
    def build(self, device: Device) -> Any:
        return Affine()


def test_cells_are_coloured_by_a_map_fitted_to_the_decoder_once(manager: ModelManager, model: Model) -> None:
    assert model.first_stage is not None
    vae = AffineVAE(model.weights, model.first_stage.config)
    with manager.use(CellColours(vae, 2.0)) as one, manager.use(CellColours(vae, 2.0)) as other:
        assert one is other
        z = latents(2)
        assert torch.allclose(one.decode(z), Affine().decode(z)[:, :, ::4, ::4], atol=0.02)


def test_where_decoding_takes_long_the_map_is_used(
    manager: ModelManager, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "QUICK_OPERATIONS", {"cpu": 0.0})
    shown, own = Shown(), ModelManager(Device(), 2**30)
    Previews(own, model, shown).offer(latents(1))
    assert shown.pictures[0].size == (256, 256)
    assert 0 < own.resident_bytes < 200


def test_a_model_without_a_first_stage_shows_its_channels(manager: ModelManager, model: Model, tmp_path: Path) -> None:
    bare = replace(model, config=replace(model.config, first_stage=None))
    other = replace(model, weights=replace(model.weights, identity="gone"))
    for each in (bare, other):
        shown = Shown()
        previews = Previews(manager, each, shown, Clock())
        previews.offer(latents(1))
        assert shown.pictures[0].size == (256, 256)
        assert np.array(shown.pictures[0]).std() > 20
