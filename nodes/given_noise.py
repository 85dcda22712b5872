"""Sampling from noise out of a file, to repeat exactly what another program made."""

from __future__ import annotations

from engine.errors import InputProblem
from engine.models.handles import Model
from engine.node import CfgScale, Context, Fraction, Steps, node
from engine.values import Conditioning, Latent
from nodes.sampling import SamplerName, SchedulerName, sample_latent, sigmas_of


@node(category="advanced/sampling", title="KSampler (Given Noise)")
async def KSamplerGivenNoise(
    model: Model,
    positive: Conditioning,
    negative: Conditioning,
    noise: Latent,
    ctx: Context,
    step_noise: Latent | None = None,
    steps: Steps = 50,
    cfg: CfgScale = 1.0,
    sampler_name: SamplerName = "ddim",
    scheduler: SchedulerName = "ldm",
    eta: Fraction = 0.0,
) -> Latent:
    """Sample from noise that is given, not drawn: the same noise gives the same picture in every program.

    Load the noise that another program recorded with Load Latent. The defaults are those of the paper's own scripts.

    Args:
        model: The denoising network.
        positive: What to make.
        negative: What to avoid; not asked for at a cfg of 1.
        noise: Where to begin: standard normal noise in the shape of the latents to make.
        step_noise: What samplers add that add noise: one latent for each step and picture, steps in order.
        steps: How many; the grid `ldm` may take more, as the original does.
        cfg: How strongly to follow the prompt.
        sampler_name: How each step is computed.
        scheduler: How the noise levels are spaced; `ldm` is the original's grid for ddim and plms, `normal` with as
            many steps as the model has is its grid for ddpm.
        eta: For ddim: how much noise each step adds; 0 none, 1 as much as ddpm.
    """
    from engine.ldm.sampling.given import GivenNoise, with_eta
    from engine.ldm.sampling.samplers import SAMPLERS

    later = None if step_noise is None else step_noise.samples
    wanted = noise.samples.shape[1:]
    if later is not None and (later.shape[1:] != wanted or len(later) % len(noise.samples)):
        raise InputProblem(
            f"step_noise is {list(later.shape)}, noise {list(noise.samples.shape)}; give as many latents of that shape "
            "for each step",
            "step_noise",
        )
    given = GivenNoise(noise.samples, later)
    sampler = with_eta(SAMPLERS[sampler_name], eta)
    sigmas = sigmas_of(model, scheduler, steps, 1.0, sampler_name)
    return await sample_latent(model, positive, negative, noise, ctx, 0, cfg, sampler_name, sigmas, given, sampler)
