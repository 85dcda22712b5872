"""The paper's two stages, each as one call: pictures to an autoencoder, latents and conditions to a model.

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.1 (first stage), sec. 3.2-3.3 (second stage).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.ldm.autoencoder import Autoencoder, AutoencoderConfig, AutoencoderKL, FirstStage, build_autoencoder
from engine.ldm.condition import Condition
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.sampling.denoisers import DENOISERS, Guided
from engine.ldm.sampling.drive import sample
from engine.ldm.sampling.samplers import dpmpp_2m
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.skeleton import Skeleton
from engine.ldm.text.tokenizer import BertTokenizer
from engine.ldm.training.autoencoder_task import AutoencoderTask, narrow_posterior
from engine.ldm.training.conditions import Conditions
from engine.ldm.training.diffusion_task import DiffusionTask
from engine.ldm.training.first_stage_loss import FirstStageLoss
from engine.ldm.training.loop import FitSettings, History, Listener, StepReport, fit
from engine.ldm.training.objective import DiffusionObjective
from engine.ldm.training.pictures import PictureSet
from engine.ldm.unet import UNetModel

Device = torch.device | str
OnSample = Callable[[int, LatentDiffusion], None]
OnReconstruction = Callable[[int, Tensor], None]


def train_autoencoder(
    pictures: PictureSet,
    config: AutoencoderConfig,
    settings: FitSettings,
    state: Path | None = None,
    on_step: Listener | None = None,
    loss: FirstStageLoss | None = None,
    device: Device = "cpu",
    on_sample: OnReconstruction | None = None,
    sample_every: int = 500,
) -> tuple[Autoencoder, History]:
    """Train a KL or VQ autoencoder on pictures; returns it with its averaged weights, ready to use.

    Args:
        config: `n_embed` makes it VQ.
        state: Where training is saved and resumed from.
        loss: None takes its defaults.
        on_sample: Called every `sample_every` steps with the step, and with pictures from all over the set and what the
            averaged weights make of them, [16, S, S, 3] in [0, 1]: eight and their copies.

    Raises:
        As `fit`.
    """
    with _seeded(settings.seed):
        module = build_autoencoder(config)
        if isinstance(module, AutoencoderKL):
            narrow_posterior(module)
        objective = (loss or FirstStageLoss()).build(config)

    def listen(report: StepReport) -> None:
        if on_step is not None:
            on_step(report)
        if on_sample is not None and report.step % sample_every == 0:
            with report.ema.applied(module):
                on_sample(report.step, _reconstructions(module.eval(), pictures))
                module.train()

    ema, history = fit(AutoencoderTask(module, pictures, objective), settings, state, listen, device)
    ema.copy_to(module)
    return module.eval().requires_grad_(False), history


@torch.no_grad()
def _reconstructions(module: Autoencoder, pictures: PictureSet, columns: int = 8) -> Tensor:
    """A row of pictures above a row of their copies: [2 * columns, S, S, 3] in [0, 1], on the CPU."""
    x = pictures.batch(torch.arange(0, len(pictures), max(1, len(pictures) // columns))[:columns])
    y = module.decode(module.encode_mode(x.to(next(module.parameters()).device))).cpu()
    return ((torch.cat([x, y]) + 1) / 2).clamp(0, 1).movedim(1, -1)


@torch.inference_mode()
def encode_pictures(pictures: PictureSet, autoencoder: FirstStage, batch_size: int = 64) -> tuple[Tensor, Tensor]:
    """Encode a data set once, since the first stage is frozen: mean and std of q(z|x), [N, C, S/f, S/f], on the CPU.

    VQ autoencoders and pixels themselves have no spread: their std is 0.
    """
    device = next(autoencoder.parameters()).device
    means: list[Tensor] = []
    stds: list[Tensor] = []
    for start in range(0, len(pictures), batch_size):
        x = pictures.batch(torch.arange(start, min(start + batch_size, len(pictures)))).to(device)
        if isinstance(autoencoder, AutoencoderKL):
            posterior = autoencoder.encode(x)
            means.append(posterior.mean.cpu())
            stds.append((0.5 * posterior.logvar).exp().cpu())
        else:
            means.append(autoencoder.encode_mode(x).cpu())
            stds.append(torch.zeros_like(means[-1]))
    return torch.cat(means), torch.cat(stds)


def new_model(
    config: LatentDiffusionConfig,
    seed: int,
    autoencoder: FirstStage | None = None,
    tokenizer: BertTokenizer | None = None,
    start: UNetModel | None = None,
) -> LatentDiffusion:
    """Make a model to train.

    Args:
        config: Complete; `use_ema` is off, because the averages become the weights.
        seed: Of the initial weights.
        autoencoder: The first stage, whose weights the model takes over.
        start: A trained U-Net of the same shape, whose weights to begin with; the conditioner begins anew.
    """
    with _seeded(seed):
        model = LatentDiffusion(config, tokenizer)
    if start is not None:
        model.unet.load_state_dict(start.state_dict())
    if autoencoder is not None and model.first_stage_model is not None:
        model.first_stage_model.load_state_dict(autoencoder.state_dict())
    return model


def assembled(
    config: LatentDiffusionConfig, unet: UNetModel, first_stage: Autoencoder | None, conditioner: nn.Module | None
) -> LatentDiffusion:
    """A model put together of networks that are there already, to train a part of; nothing else of it learns."""
    with Skeleton():
        model = LatentDiffusion(
            replace(config, conditioner=None, use_ema=False, scale_by_std=False, learn_logvar=False)
        )
    model.model.diffusion_model = unet
    model.first_stage_model = first_stage
    model.cond_stage_model = conditioner
    for name, table in config.schedule().buffers().items():
        model.register_buffer(name, table)
    return model.eval().requires_grad_(False)


@dataclass(frozen=True)
class Latents:
    """What the second stage learns from: the first stage's q(z|x). `mean`, `std`: [N, C, h, w], unscaled."""

    mean: Tensor
    std: Tensor


def train_diffusion(
    model: LatentDiffusion,
    latents: Latents,
    conditions: Conditions,
    settings: FitSettings,
    state: Path | None = None,
    on_step: Listener | None = None,
    device: Device = "cpu",
    on_sample: OnSample | None = None,
    sample_every: int = 500,
    high_noise: float = 0.0,
    crop: int = 0,
    part: nn.Module | None = None,
    mixed_precision: bool = False,
) -> History:
    """Train a model's U-Net and conditioner on latents, in place; afterwards it has its averaged weights.

    Args:
        model: As `new_model` makes it, or `assembled` where only a part is trained.
        conditions: What the U-Net is told; their conditioner is the model's own.
        state: Where training is saved and resumed from.
        on_sample: Called every `sample_every` steps with the step and the model as it would be saved then.
        high_noise, crop, part, mixed_precision: See `DiffusionTask`.

    Raises:
        As `fit`.
    """
    objective = DiffusionObjective.of(model.config)
    scale = model.config.scale_factor
    logvar = model.logvar if model.config.learn_logvar else None
    task = DiffusionTask(
        model.model,
        conditions,
        latents.mean,
        latents.std,
        scale,
        objective,
        high_noise,
        crop,
        part,
        logvar,
        mixed_precision,
    )
    model.to(device)

    def listen(report: StepReport) -> None:
        if on_step is not None:
            on_step(report)
        if on_sample is not None and report.step % sample_every == 0:
            with report.ema.applied(task.module):
                model.eval()
                on_sample(report.step, model)
                task.module.train()

    ema, history = fit(task, settings, state, listen, device)
    ema.copy_to(task.module)
    model.eval().requires_grad_(False)
    return history


@torch.inference_mode()
def sample_captions(
    model: LatentDiffusion, captions: Sequence[str], cfg_scale: float = 3.0, steps: int = 20, seed: int = 0
) -> Tensor:
    """Make a picture for each caption with DPM-Solver++(2M): [N, H, W, 3] in [0, 1], on the CPU."""
    encoder = model.cond_stage_model
    assert isinstance(encoder, BERTEmbedder)
    wanted, nothing = (Condition(context=encoder.encode(texts)) for texts in (captions, [""] * len(captions)))
    return sample_conditions(model, len(captions), wanted, nothing, cfg_scale, steps, seed)


@torch.inference_mode()
def sample_conditions(
    model: LatentDiffusion,
    count: int,
    wanted: Condition,
    nothing: Condition | None = None,
    cfg_scale: float = 3.0,
    steps: int = 20,
    seed: int = 0,
) -> Tensor:
    """Make pictures with DPM-Solver++(2M): [count, H, W, 3] in [0, 1], on the CPU.

    Args:
        wanted: Of each picture; `Condition()` for an unconditional model.
        nothing: The condition that guidance leads away from; None samples without guidance.
    """
    schedule = model.schedule()
    kind = DENOISERS[model.config.parameterization]
    denoiser = kind(model.unet, schedule, wanted)
    if nothing is not None:
        denoiser = Guided(denoiser, kind(model.unet, schedule, nothing), cfg_scale)
    blank = torch.zeros(count, model.config.unet.out_channels, *_cells(model, wanted), device=model.device)
    z = sample(denoiser, schedule, sampler_sigmas(schedule, "normal", steps), blank, seed, dpmpp_2m)
    return ((model.decode_first_stage(z) + 1) / 2).clamp(0, 1).movedim(1, -1).cpu()


def _cells(model: LatentDiffusion, condition: Condition) -> tuple[int, int]:
    """Height and width to sample: those of what lies beside the latent, else those the first stage was trained at."""
    if condition.concat is not None:
        return condition.concat.shape[2], condition.concat.shape[3]
    first_stage = model.config.first_stage
    assert first_stage is not None
    side = first_stage.resolution // first_stage.downsampling
    return side, side


@contextmanager
def _seeded(seed: int) -> Generator[None]:
    """Draw initial weights from a seed, and leave torch's own generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
