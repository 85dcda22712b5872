"""Sampling: noise to a latent, guided by conditioning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from engine.errors import InputProblem
from engine.models.handles import Model
from engine.models.manager import ModelManager
from engine.models.needs import sampling_bytes
from engine.models.step_driver import StepDriver
from engine.node import CfgScale, Context, Fraction, Seed, Steps, node
from engine.values import Conditioning, Latent

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.sampling.drive import OnStep, Sampling
    from engine.ldm.sampling.given import GivenNoise
    from engine.ldm.sampling.protocol import Sampler

SamplerName = Literal[
    "euler",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpmpp_2s_ancestral",
    "dpmpp_2m",
    "ddim",
    "plms",
    "ddpm",
]
SchedulerName = Literal[
    "normal",
    "karras",
    "exponential",
    "sgm_uniform",
    "simple",
    "ddim_uniform",
    "beta",
    "linear_quadratic",
    "kl_optimal",
    "ldm",
    "ldm_exact",
]
ORIGINAL = ("ldm", "ldm_exact")
"""Schedulers of the original, which begins from noise of unit variance and ends above 0."""
Start = Literal["noise", "ldm", "as it is"]
"""Noise added as ComfyUI adds it, as LDM does, or not at all."""
PatchSide = Annotated[int, Field(ge=8, le=1024, multiple_of=8)]
StepIndex = Annotated[int, Field(ge=0, le=10_000)]


@node(category="sampling", title="KSampler")
async def KSampler(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    ctx: Context,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: CfgScale = 8.0,
    sampler_name: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    denoise: Fraction = 1.0,
) -> Latent:
    """Denoise a latent, guided towards `positive` and away from `negative`.

    Args:
        model: The denoising network.
        positive: What to make.
        negative: What to avoid, or an empty prompt.
        latent_image: What to start from: an empty latent, or a picture's to change it.
        seed: Chooses the noise; the same seed gives the same picture.
        steps: More steps follow the model more exactly and take longer.
        cfg: How strongly to follow the prompt; 1 ignores `negative` and is twice as fast.
        sampler_name: How each step is computed.
        scheduler: How the noise levels are spaced; `ldm` is the original's grid for ddim and plms, which may have
            more steps than asked; `ldm_exact` never has.
        denoise: Share of the schedule to run; below 1 keeps part of the input latent.
    """
    sigmas = sigmas_of(model, scheduler, steps, denoise, sampler_name)
    start: Start = "ldm" if scheduler in ORIGINAL else "noise"
    return await sample_latent(model, positive, negative, latent_image, ctx, seed, cfg, sampler_name, sigmas, start)


@node(category="sampling", title="KSampler (Advanced)")
async def KSamplerAdvanced(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    ctx: Context,
    add_noise: Literal["enable", "disable"] = "enable",
    noise_seed: Seed = 0,
    steps: Steps = 20,
    cfg: CfgScale = 8.0,
    sampler_name: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    start_at_step: StepIndex = 0,
    end_at_step: StepIndex = 10_000,
    return_with_leftover_noise: Literal["disable", "enable"] = "disable",
) -> Latent:
    """Run part of a schedule, to hand a half-denoised latent from one sampler to the next.

    Args:
        model: The denoising network.
        positive: What to make.
        negative: What to avoid, or an empty prompt.
        latent_image: What to start from.
        add_noise: Disable to go on with the noise that an earlier sampler left.
        noise_seed: Chooses the noise.
        steps: Steps of the whole schedule.
        cfg: How strongly to follow the prompt.
        sampler_name: How each step is computed.
        scheduler: How the noise levels are spaced.
        start_at_step: First step to run, counted from 0.
        end_at_step: Step to stop before.
        return_with_leftover_noise: Enable to keep the noise of the steps that were not run.
    """
    sigmas = sigmas_of(model, scheduler, steps, 1.0, sampler_name)[: end_at_step + 1]
    if return_with_leftover_noise == "disable":
        sigmas[-1] = 0.0
    sigmas = sigmas[start_at_step:]
    start: Start = "as it is" if add_noise == "disable" else "ldm" if scheduler in ORIGINAL else "noise"
    return await sample_latent(
        model, positive, negative, latent_image, ctx, noise_seed, cfg, sampler_name, sigmas, start
    )


def sigmas_of(model: Model, scheduler: str, steps: int, denoise: float, sampler: str) -> list[float]:
    """The noise levels that a sampler runs through with this model, highest first."""
    from engine.ldm.sampling.sigmas import ldm_sigmas, sampler_sigmas

    schedule = model.config.schedule()
    if scheduler not in ORIGINAL:
        return sampler_sigmas(schedule, scheduler, steps, denoise, sampler)
    whole = ldm_sigmas(schedule, steps, "exact" if scheduler == "ldm_exact" else "uniform")
    return whole[len(whole) - 1 - int((len(whole) - 1) * denoise) :]


async def sample_latent(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    ctx: Context,
    seed: int,
    cfg: float,
    sampler_name: str,
    sigmas: list[float],
    start: Start | GivenNoise,
    sampler: Sampler | None = None,
) -> Latent:
    """Sample a latent, together with whatever else is being sampled.

    Args:
        start: How it begins; given noise takes the place of all that is drawn by `seed`.
        sampler: Takes the place of the one called `sampler_name`.

    Raises:
        InputProblem: latent or conditioning do not fit the model.
    """
    channels = model.config.unet.out_channels
    if latent.samples.shape[1] != channels:
        raise InputProblem(
            f"the latent has {latent.samples.shape[1]} channels, this model denoises {channels}; make it with the "
            "model's own VAE, or connect that to Empty Latent",
            "latent_image",
        )
    height, width = latent.samples.shape[2:]
    halvings = 2 ** (len(model.config.unet.channel_mult) - 1)
    if height % halvings or width % halvings:
        raise InputProblem(
            f"the latent has {width}x{height} cells, this model wants multiples of {halvings}; choose another width or "
            "height",
            "latent_image",
        )

    manager = ctx.service(ModelManager)
    count = len(latent.samples)
    grid = model.in_patches
    rows, columns = (height, width) if grid is None else grid.within(height, width).size
    needed = sampling_bytes(model.config.unet, count, rows, columns, manager.device.dtype.itemsize)
    manager.expect(needed, f"sample {count} latents of {width}x{height} cells at once")
    show = _shows(manager, model, ctx)

    def report(step: int, x: Tensor, denoised: Tensor) -> None:
        ctx.progress(step + 1, len(sigmas) - 1)
        if show is not None:
            show(denoised)

    sampling = _sampling(
        manager, model, positive, negative, latent, seed, cfg, sampler_name, sigmas, start, sampler, report
    )
    samples = await ctx.service(StepDriver).sample(sampling, lambda: ctx.cancelled)
    return Latent(samples, latent.noise_mask, latent.batch_index)


def _shows(manager: ModelManager, model: Model, ctx: Context) -> Callable[[Tensor], None] | None:
    """What shows a sampling as it goes, if anybody looks."""
    if not ctx.wants_preview:
        return None
    from engine.models.preview import Previews

    return Previews(manager, model, ctx.preview).offer


def _sampling(
    manager: ModelManager,
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    latent: Latent,
    seed: int,
    cfg: float,
    sampler_name: str,
    sigmas: list[float],
    start: Start | GivenNoise,
    sampler: Sampler | None,
    report: OnStep,
) -> Sampling:
    """Everything of a sampling that happens on the device's lane."""
    import torch

    from engine.denoising import guided, latent_mask
    from engine.ldm.patches import PatchedNetwork
    from engine.ldm.sampling.denoisers import Masked
    from engine.ldm.sampling.drive import begin, begin_ldm, sampling
    from engine.ldm.sampling.noise import SeededNoise, initial_noise
    from engine.ldm.sampling.samplers import SAMPLERS
    from engine.ldm.sampling.vp import with_posterior

    device = manager.device.torch_device
    schedule, scale = model.config.schedule(), model.config.scale_factor
    with manager.use(model.network) as unet:
        x = latent.samples.to(device) * scale
        grid = model.in_patches
        network = unet if grid is None else PatchedNetwork(unet, grid.within(x.shape[2], x.shape[3]))
        denoiser = guided(network, model.config, positive, negative, cfg, x)
        if latent.noise_mask is not None:
            noise = torch.zeros_like(x)
            if start != "as it is":
                own = seed + 1 if sampler_name == "ddim" else seed  # as in ComfyUI, whose ddim draws other noise here
                noise = initial_noise(x.shape, own, latent.batch_index).to(device)
            denoiser = Masked(denoiser, latent_mask(latent.noise_mask, x), x, noise)
        sampler = with_posterior(sampler or SAMPLERS[sampler_name], schedule.v_posterior)
        if not isinstance(start, str):
            result = yield from start.begin(denoiser, sigmas, sampler, x.device, report)
        elif start == "as it is" and len(sigmas) > 1:
            result = yield from sampling(sampler(x, sigmas, SeededNoise(x, seed)), denoiser, report)
        else:
            prepare = begin_ldm if start == "ldm" else begin
            result = yield from prepare(denoiser, schedule, sigmas, x, seed, sampler, report, latent.batch_index)
        return (result / scale).cpu()


@node(category="sampling", title="Sample in Patches")
def SampleInPatches(model: Model, size: PatchSide = 64, overlap: Fraction = 0.5) -> Model:
    """Let a model work on large pictures in overlapping patches, so that memory does not grow with the picture.

    For models that draw what lies beside them, such as super-resolution: nothing tells patches of one another.

    Args:
        model: The model.
        size: Side of a patch in cells of the latent, best that the model was trained on.
        overlap: Share of a patch that it has in common with the next; at least a quarter hides seams.
    """
    from engine.ldm.patches import PatchGrid

    halvings = 2 ** (len(model.config.unet.channel_mult) - 1)
    if size % halvings:
        raise InputProblem(f"{size} cells do not divide by {halvings}, as this model's levels want", "size")
    stride = max(1, round(size * (1 - overlap)))
    return replace(model, in_patches=PatchGrid((size, size), (stride, stride)))
