"""Several conditions at once, against ComfyUI's latents and by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser, Guided
from engine.ldm.sampling.drive import drive, sample
from engine.ldm.sampling.protocol import Asking, Denoiser
from engine.ldm.sampling.regions import Blended, Region, sigma_at, with_counterparts
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.unet import UNetModel
from tests.ldm import comfy
from tests.ldm.comfy import SCALE_FACTOR, SD_SCHEDULE, assert_relative

AREA = (8, 8, 2, 4)  # 64x64 pixels at x 32, y 16


@pytest.fixture(scope="module")
def unet() -> UNetModel:
    return comfy.unet()


def prompt(unet: UNetModel, name: str) -> EpsDenoiser:
    return EpsDenoiser(unet, SD_SCHEDULE, Condition(context=comfy.tensors("cond")[name]))


def check(positive: list[Region], negative: list[Region], key: str) -> None:
    sigmas = sampler_sigmas(SD_SCHEDULE, "normal", 8)
    guided = Guided(Blended(with_counterparts(positive, negative)), Blended(with_counterparts(negative, positive)), 7.0)
    out = sample(guided, SD_SCHEDULE, sigmas, torch.zeros(1, 4, 16, 16), 42)
    assert_relative(out / SCALE_FACTOR, comfy.tensors("advanced")[f"cond/{key}/euler/normal"], 1e-4)


def test_two_prompts_combined(unet: UNetModel) -> None:
    check(
        [Region(prompt(unet, "positive")), Region(prompt(unet, "positive2"))],
        [Region(prompt(unet, "negative"))],
        "combine",
    )


def test_a_prompt_in_an_area(unet: UNetModel) -> None:
    positive = [Region(prompt(unet, "positive2")), Region(prompt(unet, "positive"), area=AREA)]
    check(positive, [Region(prompt(unet, "negative"))], "set_area")


def test_a_prompt_under_a_mask(unet: UNetModel) -> None:
    mask = F.interpolate(comfy.tensors("inpaint")["mask"], size=(16, 16), mode="bilinear")
    positive = [Region(prompt(unet, "positive2")), Region(prompt(unet, "positive"), strength=0.8, mask=mask)]
    check(positive, [Region(prompt(unet, "negative"))], "set_mask")


def test_a_prompt_that_gives_way_to_another(unet: UNetModel) -> None:
    change = sigma_at(SD_SCHEDULE, 0.4)
    positive = [
        Region(prompt(unet, "positive"), sigma_end=change),
        Region(prompt(unet, "positive2"), sigma_start=change),
    ]
    check(positive, [Region(prompt(unet, "negative"))], "timestep_range")


def always(value: float) -> Denoiser:
    def denoiser(x: Tensor, sigma: float) -> Asking:
        return torch.full_like(x, value)
        yield ()

    return denoiser


def blend(*regions: Region, sigma: float = 1.0) -> Tensor:
    (out,) = drive([Blended(regions)(torch.zeros(1, 1, 16, 16), sigma)])
    assert isinstance(out, Tensor)
    return out


def test_answers_are_averaged_by_strength() -> None:
    out = blend(Region(always(1.0), strength=3.0), Region(always(5.0), strength=1.0))
    torch.testing.assert_close(out, torch.full((1, 1, 16, 16), 2.0))


def test_an_area_fades_in_at_its_own_edges_only() -> None:
    out = blend(Region(always(0.0)), Region(always(1.0), area=(8, 16, 8, 0)))[0, 0]
    assert torch.equal(out[:8], torch.zeros(8, 16))  # outside
    torch.testing.assert_close(out[8], torch.full((16,), 1 / 3))  # half the weight of the other: 0.5 / 1.5
    torch.testing.assert_close(out[9:], torch.full((7, 16), 0.5))  # no fading where the picture ends


def test_a_region_rests_outside_its_time() -> None:
    early, late = Region(always(1.0), sigma_end=5.0), Region(always(2.0), sigma_start=5.0)
    assert blend(early, late, sigma=6.0).mean() == 1.0
    assert blend(early, late, sigma=5.0).mean() == 1.5
    assert blend(early, late, sigma=4.0).mean() == 2.0
    assert blend(early, sigma=4.0).mean() == 0.0


def test_shares_of_a_sampling_are_sigmas() -> None:
    assert sigma_at(SD_SCHEDULE, 0.0) == math.inf
    assert sigma_at(SD_SCHEDULE, 1.0) == 0.0
    assert sigma_at(SD_SCHEDULE, 0.5) == SD_SCHEDULE.sigma(499.5)


def test_a_counterpart_comes_from_the_smallest_region_around_the_area() -> None:
    whole, half = Region(always(0.0)), Region(always(1.0), area=(16, 8, 0, 0))
    inside, across = Region(always(2.0), area=(4, 4, 2, 2)), Region(always(2.0), area=(4, 8, 2, 4))
    assert with_counterparts([whole, half], [half])[2:] == []
    (added,) = with_counterparts([whole, half], [inside])[2:]
    assert added.denoiser is half.denoiser and added.area == inside.area
    (added,) = with_counterparts([whole, half], [across])[2:]
    assert added.denoiser is whole.denoiser
    assert with_counterparts([half], [across]) == [half]
