"""KSampler and KSamplerAdvanced: what seed, steps, guidance, masks and windows do to a latent."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from engine.errors import Cancelled, InputProblem
from engine.models.manager import ModelManager
from engine.models.step_driver import StepDriver
from engine.node import NullContext
from engine.values import Conditioning, ConditioningPart, Latent, Mask
from nodes.conditioning import (
    ConcatCondition,
    ConditioningCombine,
    ConditioningSetArea,
    ConditioningSetStrength,
)
from nodes.latent import EmptyLatent, LatentFromBatch, RepeatLatentBatch, SetLatentNoiseMask
from nodes.loaders import LoadCheckpoint, LoadedCheckpoint
from nodes.sampling import KSampler, KSamplerAdvanced, SamplerName, SchedulerName
from nodes.text import EncodeText

CLOSE = 1e-4
"""Of the largest value: what batches of another size, and a latent that was scaled and back, differ by in rounding."""


class Sampling:
    """The two samplers with most of their inputs filled in."""

    def __init__(self, ctx: NullContext, loaded: LoadedCheckpoint, apple: Conditioning, nothing: Conditioning) -> None:
        self.ctx, self.loaded = ctx, loaded
        self.inputs: dict[str, Any] = {"model": loaded.model, "positive": apple, "negative": nothing, "steps": 4}

    def blank(self, batch_size: int = 1) -> Latent:
        return EmptyLatent(32, 32, batch_size, self.loaded.vae)

    async def __call__(self, latent: Latent | None = None, /, **inputs: Any) -> Tensor:
        given: dict[str, Any] = {**self.inputs, "latent_image": latent or self.blank(), **inputs}
        return (await KSampler(**given, ctx=self.ctx)).samples

    async def advanced(self, latent: Latent | None = None, /, **inputs: Any) -> Latent:
        given: dict[str, Any] = {**self.inputs, "latent_image": latent or self.blank(), **inputs}
        return await KSamplerAdvanced(**given, ctx=self.ctx)


@pytest.fixture
def sample(ctx: NullContext, loaded: LoadedCheckpoint, apple: Conditioning, nothing: Conditioning) -> Sampling:
    return Sampling(ctx, loaded, apple, nothing)


def assert_close(actual: Tensor, expected: Tensor) -> None:
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() <= CLOSE * expected.abs().max()


def assert_differ(one: Tensor, other: Tensor) -> None:
    assert one.shape == other.shape
    assert (one - other).abs().max() > 10 * CLOSE * one.abs().max()


def picture(seed: int = 5) -> Latent:
    return Latent(torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)))


# ---------------------------------------------------------------------------------------------------- seeds and choices


@pytest.mark.parametrize("name", get_args(SamplerName))
async def test_every_sampler_makes_a_latent(sample: Sampling, name: str) -> None:
    samples = await sample(sampler_name=name)
    assert samples.shape == (1, 4, 8, 8)
    assert samples.isfinite().all()
    assert samples.device.type == "cpu"


@pytest.mark.parametrize("name", get_args(SchedulerName))
async def test_every_scheduler_makes_a_latent(sample: Sampling, name: str) -> None:
    assert (await sample(scheduler=name)).isfinite().all()


async def test_the_seed_alone_decides_the_noise(sample: Sampling) -> None:
    first, again, other = await sample(seed=1), await sample(seed=1), await sample(seed=2)
    assert first.equal(again)
    assert_differ(first, other)


@pytest.mark.parametrize("name", ["euler_ancestral", "ddpm"])
async def test_samplers_that_draw_noise_draw_the_same_for_a_seed(sample: Sampling, name: str) -> None:
    assert (await sample(sampler_name=name)).equal(await sample(sampler_name=name))


async def test_the_largest_seed_is_a_seed(sample: Sampling) -> None:
    assert (await sample(seed=2**64 - 1, sampler_name="euler_ancestral")).isfinite().all()


async def test_the_prompt_guides(sample: Sampling) -> None:
    pear = EncodeText("a green pear", sample.loaded.clip, sample.ctx)
    assert_differ(await sample(), await sample(positive=pear))


async def test_the_input_is_left_alone(sample: Sampling) -> None:
    latent = picture()
    before = latent.samples.clone()
    await sample(latent, denoise=0.5)
    assert latent.samples.equal(before)


# ------------------------------------------------------------------------------------------------------------ guidance


@contextmanager
def rows_of_calls(sample: Sampling) -> Generator[list[int]]:
    """The rows of each forward pass of the U-Net meanwhile."""
    rows: list[int] = []
    with sample.ctx.service(ModelManager).use(sample.loaded.model) as network:
        hook = network.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
        try:
            yield rows
        finally:
            hook.remove()


async def test_guidance_asks_for_both_prompts_in_one_pass(sample: Sampling) -> None:
    with rows_of_calls(sample) as rows:
        await sample(cfg=3)
    assert rows == [2, 2, 2, 2]


async def test_a_scale_of_1_never_asks_about_the_negative(sample: Sampling) -> None:
    with rows_of_calls(sample) as rows:
        one = await sample(cfg=1)
    assert rows == [1, 1, 1, 1]
    pear = EncodeText("a green pear", sample.loaded.clip, sample.ctx)
    assert one.equal(await sample(cfg=1, negative=pear))
    assert_differ(await sample(cfg=3), await sample(cfg=3, negative=pear))


async def test_a_scale_of_0_follows_the_negative_alone(sample: Sampling) -> None:
    pear = EncodeText("a green pear", sample.loaded.clip, sample.ctx)
    assert_close(await sample(cfg=0, negative=pear), await sample(cfg=1, positive=pear))


async def test_a_prompt_combined_with_itself_is_that_prompt(sample: Sampling, apple: Conditioning) -> None:
    assert_close(await sample(positive=ConditioningCombine(apple, apple)), await sample())


async def test_strength_moves_a_combination_towards_a_prompt(sample: Sampling, apple: Conditioning) -> None:
    pear = EncodeText("a green pear", sample.loaded.clip, sample.ctx)
    alone = await sample(positive=pear, cfg=1)
    even = await sample(positive=ConditioningCombine(apple, pear), cfg=1)
    strong = await sample(positive=ConditioningCombine(apple, ConditioningSetStrength(pear, 9.0)), cfg=1)
    only = await sample(positive=ConditioningCombine(ConditioningSetStrength(apple, 0.0), pear), cfg=1)
    assert (strong - alone).norm() < (even - alone).norm()
    assert_close(only, alone)


# ----------------------------------------------------------------------------------------------- pictures to start from


async def test_less_denoising_keeps_more(sample: Sampling) -> None:
    latent = picture()
    distances = [float((await sample(latent, denoise=share) - latent.samples).norm()) for share in (0.1, 0.5, 1.0)]
    assert distances == sorted(distances)


async def test_no_denoising_gives_the_latent_back(sample: Sampling) -> None:
    latent = picture()
    assert_close(await sample(latent, denoise=0.0), latent.samples)


@pytest.mark.parametrize("name", ["euler", "ddim", "euler_ancestral", "dpmpp_2m"])
@pytest.mark.parametrize("scheduler", ["normal", "ldm"])
async def test_what_the_mask_covers_is_repainted_and_the_rest_kept(sample: Sampling, name: str, scheduler: str) -> None:
    hole = torch.zeros(1, 32, 32)
    hole[:, :, 16:] = 1
    latent = SetLatentNoiseMask(picture(), Mask(hole))
    samples = await sample(latent, sampler_name=name, scheduler=scheduler)
    kept, repainted = samples[..., :4], samples[..., 4:]
    # LDM's grid ends at sigma(t = 0) = 0.03, so a little noise stays
    assert (kept - latent.samples[..., :4]).abs().max() < (1e-4 if scheduler == "normal" else 0.5)
    assert (repainted - latent.samples[..., 4:]).abs().max() > 0.5


async def test_the_mask_goes_on_with_the_latent(sample: Sampling) -> None:
    latent = SetLatentNoiseMask(picture(), Mask(torch.ones(1, 32, 32)))
    result = await KSampler(**sample.inputs, latent_image=latent, ctx=sample.ctx)
    assert result.noise_mask is latent.noise_mask


@pytest.mark.parametrize("masks", [2, 5])
async def test_masks_are_repeated_or_cut_to_the_batch(sample: Sampling, masks: int) -> None:
    holes = torch.zeros(masks, 8, 8)
    holes[0] = 1
    latent = SetLatentNoiseMask(RepeatLatentBatch(picture(), 3), Mask(holes))
    samples = await sample(latent)
    kept = [bool((each - picture().samples[0]).abs().max() < 1e-4) for each in samples]
    assert kept == ([False, True, False] if masks == 2 else [False, True, True])


# ------------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize("name", ["euler", "dpmpp_2m"])
async def test_one_picture_of_a_batch_is_made_again_alone(sample: Sampling, name: str) -> None:
    blank = sample.blank(3)
    batch = await sample(blank, sampler_name=name)
    assert_differ(batch[:1], batch[1:2])
    for index in range(3):
        alone = await sample(LatentFromBatch(blank, index), sampler_name=name)
        assert_close(alone, batch[index : index + 1])


async def test_the_first_picture_of_a_batch_is_the_one_alone(sample: Sampling) -> None:
    assert_close(await sample(), (await sample(sample.blank(2)))[:1])


# ------------------------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize("scheduler", ["normal", "karras"])
async def test_a_schedule_in_two_parts_is_the_schedule_in_one(sample: Sampling, scheduler: str) -> None:
    choices = {"noise_seed": 7, "steps": 6, "scheduler": scheduler}
    whole = await sample.advanced(**choices)
    first = await sample.advanced(**choices, end_at_step=3, return_with_leftover_noise="enable")
    second = await sample.advanced(first, **choices, add_noise="disable", start_at_step=3)
    assert_close(second.samples, whole.samples)
    assert_differ(first.samples, whole.samples)


async def test_all_steps_of_the_advanced_sampler_are_the_sampler(sample: Sampling) -> None:
    assert (await sample.advanced(noise_seed=3)).samples.equal(await sample(seed=3))


async def test_a_window_without_steps_gives_the_latent_back(sample: Sampling) -> None:
    latent = picture()
    for window in ({"start_at_step": 50}, {"end_at_step": 0}, {"start_at_step": 3, "end_at_step": 3}):
        for noise in ("enable", "disable"):
            assert_close((await sample.advanced(latent, add_noise=noise, **window)).samples, latent.samples)


async def test_without_leftover_noise_a_window_ends_clean(sample: Sampling) -> None:
    kept = await sample.advanced(end_at_step=2, return_with_leftover_noise="enable")
    clean = await sample.advanced(end_at_step=2)
    assert_differ(kept.samples, clean.samples)


# ----------------------------------------------------------------------------------------------- progress and stopping


class Watching(NullContext):
    """Notes progress, and stops after some steps."""

    def __init__(self, ctx: NullContext, stop_after: int | None = None) -> None:
        super().__init__(ctx.folders, ctx)
        self.inner, self.stop_after, self.steps = ctx, stop_after, list[tuple[int, int]]()

    def progress(self, step: int, total: int, text: str = "") -> None:
        self.steps.append((step, total))
        self.cancelled = step == self.stop_after

    def service(self, kind: type[Any]) -> Any:
        return self.inner.service(kind)


async def test_progress_is_told_after_every_step(sample: Sampling) -> None:
    sample.ctx = watching = Watching(sample.ctx)
    await sample()
    assert watching.steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


async def test_a_sampling_stops_within_a_step(sample: Sampling) -> None:
    sample.ctx = watching = Watching(sample.ctx, stop_after=2)
    with pytest.raises(Cancelled):
        await sample(steps=50)
    assert len(watching.steps) == 2


# --------------------------------------------------------------------------------------------------- what does not fit


async def test_a_latent_of_another_model_is_refused(sample: Sampling) -> None:
    with pytest.raises(InputProblem, match=r"16 channels, this model denoises 4; make it with the model's own") as it:
        await sample(Latent(torch.zeros(1, 16, 8, 8)))
    assert it.value.input == "latent_image"


@pytest.mark.parametrize("side", ["positive", "negative"])
async def test_words_of_another_text_encoder_are_refused(sample: Sampling, side: str) -> None:
    wider = LoadCheckpoint("wider.safetensors", sample.ctx)
    words = EncodeText("a red apple", wider.clip, sample.ctx)
    with pytest.raises(InputProblem, match=r"24 wide, this model wants 16; use the text encoder of the same") as it:
        await sample(**{side: words})
    assert it.value.input == side


@pytest.mark.parametrize("side", ["positive", "negative"])
async def test_a_conditioning_without_words_is_refused(sample: Sampling, side: str) -> None:
    with pytest.raises(InputProblem, match="guided by words; connect Encode Text") as it:
        await sample(**{side: Conditioning((ConditioningPart(),))})
    assert it.value.input == side


@pytest.mark.parametrize("rows", [2, 4])
async def test_conditions_for_another_number_of_pictures_are_refused(
    sample: Sampling, apple: Conditioning, rows: int
) -> None:
    context = apple.parts[0].context
    assert context is not None
    many = Conditioning((ConditioningPart(context.repeat(rows, 1, 1)),))
    with pytest.raises(InputProblem, match=f"{rows} rows, the latent has 3") as it:
        await sample(sample.blank(3), positive=many)
    assert it.value.input == "positive"


async def test_a_latent_whose_sides_the_network_cannot_halve_says_so(sample: Sampling) -> None:
    with pytest.raises(InputProblem, match=r"7x7 .*multiples? of 2") as it:
        await sample(Latent(torch.zeros(1, 4, 7, 7)))
    assert it.value.input == "latent_image"


@pytest.mark.parametrize(
    ("area", "words"),
    [
        ((64, 64, 60, 0), r"1x16 cells, this model wants multiples of 2: 8 pixels; choose another width or height"),
        ((64, 64, 512, 0), r"at \(512, 0\) of 64x64 pixels lies outside a picture of 64x64; move it inside"),
    ],
)
async def test_an_area_that_does_not_fit_is_refused(
    sample: Sampling, apple: Conditioning, area: tuple[int, int, int, int], words: str
) -> None:
    blank = EmptyLatent(64, 64, 1, sample.loaded.vae)
    with pytest.raises(InputProblem, match=words) as it:
        await sample(blank, positive=ConditioningSetArea(apple, *area))
    assert it.value.input == "positive"


# ------------------------------------------------------------------------------------------------ beside the latent


@pytest.fixture
def inpainting(sample: Sampling) -> Sampling:
    """An inpainting model: it takes a picture's latent and a mask beside the one it denoises."""
    loaded = LoadCheckpoint("inpainting.safetensors", sample.ctx)
    sample.loaded, sample.inputs["model"] = loaded, loaded.model
    for side in ("positive", "negative"):
        words = EncodeText("blue", loaded.clip, sample.ctx)
        sample.inputs[side] = ConcatCondition(words, latent=picture(), mask=Mask(torch.ones(1, 32, 32)))
    return sample


async def test_an_inpainting_model_sees_the_picture_and_the_mask(inpainting: Sampling) -> None:
    words = EncodeText("blue", inpainting.loaded.clip, inpainting.ctx)
    other = ConcatCondition(words, latent=picture(6), mask=Mask(torch.ones(1, 32, 32)))
    masked = ConcatCondition(words, latent=picture(), mask=Mask(torch.zeros(1, 32, 32)))
    usual = await inpainting()
    assert usual.shape == (1, 4, 8, 8)
    assert_differ(usual, await inpainting(positive=other))
    assert_differ(usual, await inpainting(positive=masked))
    assert (await inpainting(inpainting.blank(2))).shape == (2, 4, 8, 8)


@pytest.mark.parametrize("side", ["positive", "negative"])
async def test_an_inpainting_model_says_what_is_missing(inpainting: Sampling, side: str) -> None:
    words = EncodeText("blue", inpainting.loaded.clip, inpainting.ctx)
    for given, channels in ((words, 0), (ConcatCondition(words, latent=picture()), 4)):
        with pytest.raises(InputProblem, match=rf"takes 5 channels .* has {channels}; .*Concat Condition") as it:
            await inpainting(**{side: given})
        assert it.value.input == side


async def test_what_lies_beside_the_latent_is_not_cut_to_an_area(inpainting: Sampling) -> None:
    with pytest.raises(InputProblem, match=r"use Conditioning \(Set Mask\)") as it:
        await inpainting(positive=ConditioningSetArea(inpainting.inputs["positive"]))
    assert it.value.input == "positive"


async def test_a_condition_of_another_size_than_the_latent_is_refused(inpainting: Sampling) -> None:
    with pytest.raises(InputProblem, match=r"8x8 cells, the latent 16x16") as it:
        await inpainting(EmptyLatent(64, 64, 1, inpainting.loaded.vae))
    assert it.value.input == "positive"


class Watched(NullContext):
    """A context in which somebody looks."""

    wants_preview = True

    def __init__(self, ctx: NullContext) -> None:
        super().__init__(ctx.folders, ctx.service(ModelManager), ctx.service(StepDriver))
        self.previews: list[bytes] = []

    def preview(self, image: bytes, media_type: str = "image/jpeg") -> None:
        self.previews.append(image)


async def test_who_looks_sees_the_picture_come_and_gets_the_same_latent(
    loaded: LoadedCheckpoint, apple: Conditioning, nothing: Conditioning, ctx: NullContext
):
    watched, latent = Watched(ctx), EmptyLatent(32, 32, vae=loaded.vae)
    seen = await KSampler(loaded.model, apple, nothing, latent, watched, steps=3)
    unseen = await KSampler(loaded.model, apple, nothing, latent, ctx, steps=3)
    assert torch.equal(seen.samples, unseen.samples)
    assert watched.previews
    assert all(each.startswith(b"\xff\xd8") for each in watched.previews)
