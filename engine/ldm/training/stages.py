"""The paper's two stages, each as one call: pictures to an autoencoder, latents and captions to a model.

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.1 (first stage), sec. 3.2-3.3 (second stage).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from engine.ldm.autoencoder import Autoencoder, AutoencoderConfig, AutoencoderKL, VQModel
from engine.ldm.condition import Condition
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.sampling.denoisers import DENOISERS, Guided
from engine.ldm.sampling.drive import sample
from engine.ldm.sampling.samplers import dpmpp_2m
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.text.tokenizer import BertTokenizer, train_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.autoencoder_task import AutoencoderTask, narrow_posterior
from engine.ldm.training.diffusion_task import DiffusionTask, Learner
from engine.ldm.training.loop import FitSettings, History, Listener, StepReport, fit
from engine.ldm.training.objective import DiffusionObjective, scale_from_std
from engine.ldm.training.pictures import PictureSet
from engine.ldm.unet import UNetModel

Device = torch.device | str
OnSample = Callable[[int, LatentDiffusion], None]


def train_autoencoder(
    pictures: PictureSet,
    config: AutoencoderConfig,
    settings: FitSettings,
    state: Path | None = None,
    on_step: Listener | None = None,
    kl_weight: float = 1e-6,
    device: Device = "cpu",
) -> tuple[AutoencoderKL, History]:
    """Train a KL autoencoder on pictures; returns it with its averaged weights, ready to use.

    Args:
        state: Where training is saved and resumed from.
        kl_weight: See `AutoencoderTask`.

    Raises:
        As `fit`.
    """
    with _seeded(settings.seed):
        module = AutoencoderKL(config)
        narrow_posterior(module)
    ema, history = fit(AutoencoderTask(module, pictures, kl_weight), settings, state, on_step, device)
    ema.copy_to(module)
    return module.eval().requires_grad_(False), history


@torch.inference_mode()
def encode_pictures(pictures: PictureSet, autoencoder: Autoencoder, batch_size: int = 64) -> tuple[Tensor, Tensor]:
    """Encode a data set once, since the first stage is frozen: mean and std of q(z|x), [N, C, S/f, S/f], on the CPU.

    A VQ autoencoder has no spread: its std is 0.
    """
    device = next(autoencoder.parameters()).device
    means: list[Tensor] = []
    stds: list[Tensor] = []
    for start in range(0, len(pictures), batch_size):
        x = pictures.batch(torch.arange(start, min(start + batch_size, len(pictures)))).to(device)
        if isinstance(autoencoder, VQModel):
            means.append(autoencoder.encode_mode(x).cpu())
            stds.append(torch.zeros_like(means[-1]))
        else:
            posterior = autoencoder.encode(x)
            means.append(posterior.mean.cpu())
            stds.append((0.5 * posterior.logvar).exp().cpu())
    return torch.cat(means), torch.cat(stds)


def text_to_image_config(
    config: LatentDiffusionConfig, captions: Sequence[Sequence[str]], first_batch: Tensor, vocabulary_size: int
) -> tuple[LatentDiffusionConfig, BertTokenizer]:
    """Complete a configuration from the data: vocabulary from the captions, scale factor from a first batch.

    Args:
        config: Its conditioner must be a text transformer; the size of its vocabulary is replaced.
        captions: Of each picture, all its texts.
        first_batch: [B, C, h, w], unscaled latents.
    """
    conditioner = config.conditioner
    if not isinstance(conditioner, TextTransformerConfig):
        raise ValueError("a text-to-image model is conditioned by a text transformer")
    # Every word of a small data set is worth a token of its own: whole_words=1.
    vocabulary = train_vocabulary([text for texts in captions for text in texts], vocabulary_size, whole_words=1)
    return (
        replace(
            config,
            conditioner=replace(conditioner, vocab_size=len(vocabulary)),
            scale_factor=scale_from_std(first_batch),
        ),
        BertTokenizer(vocabulary, conditioner.max_seq_len),
    )


@dataclass(frozen=True)
class Latents:
    """What the second stage learns from. `mean`, `std`: [N, C, h, w], unscaled; `captions[i]`: name, then keywords."""

    mean: Tensor
    std: Tensor
    captions: Sequence[Sequence[str]]


def train_text_to_image(
    latents: Latents,
    autoencoder: Autoencoder,
    config: LatentDiffusionConfig,
    tokenizer: BertTokenizer,
    settings: FitSettings,
    state: Path | None = None,
    on_step: Listener | None = None,
    dropout: float = 0.1,
    device: Device = "cpu",
    on_sample: OnSample | None = None,
    sample_every: int = 500,
    high_noise: float = 0.0,
    start: UNetModel | None = None,
) -> tuple[LatentDiffusion, History]:
    """Train a U-Net and its text transformer on latents; returns the whole model with its averaged weights.

    Args:
        config: Complete, see `text_to_image_config`; `use_ema` is off, because the averages become the weights.
        state: Where training is saved and resumed from.
        dropout: Share of captions left out, for classifier-free guidance.
        high_noise: See `DiffusionTask`.
        start: A trained U-Net of the same shape, whose weights to begin with; the text encoder begins anew.
        on_sample: Called every `sample_every` steps with the step and the model as it would be saved then.

    Raises:
        As `fit`.
    """
    with _seeded(settings.seed):
        model = LatentDiffusion(config, tokenizer)
    if start is not None:
        model.unet.load_state_dict(start.state_dict())
    assert isinstance(model.cond_stage_model, BERTEmbedder) and model.first_stage_model is not None
    model.first_stage_model.load_state_dict(autoencoder.state_dict())
    learner = Learner(model.unet, model.cond_stage_model)
    task = DiffusionTask(
        learner,
        latents.mean,
        latents.std,
        latents.captions,
        config.scale_factor,
        DiffusionObjective.of(config),
        dropout,
        high_noise,
    )
    model.to(device)

    def listen(report: StepReport) -> None:
        if on_step is not None:
            on_step(report)
        if on_sample is not None and report.step % sample_every == 0:
            with report.ema.applied(learner):
                model.eval()
                on_sample(report.step, model)
                learner.train()

    ema, history = fit(task, settings, state, listen, device)
    ema.copy_to(learner)
    return model.eval().requires_grad_(False), history


@torch.inference_mode()
def sample_captions(
    model: LatentDiffusion, captions: Sequence[str], cfg_scale: float = 3.0, steps: int = 20, seed: int = 0
) -> Tensor:
    """Make a picture for each caption with DPM-Solver++(2M): [N, H, W, 3] in [0, 1], on the CPU."""
    encoder, first_stage = model.cond_stage_model, model.config.first_stage
    assert isinstance(encoder, BERTEmbedder) and first_stage is not None
    schedule = model.schedule()
    kind = DENOISERS[model.config.parameterization]
    conditions = [Condition(context=encoder.encode(texts)) for texts in (captions, [""] * len(captions))]
    conditional, unconditional = (kind(model.unet, schedule, condition) for condition in conditions)
    side = first_stage.resolution // first_stage.downsampling
    blank = torch.zeros(len(captions), model.config.unet.out_channels, side, side, device=model.device)
    sigmas = sampler_sigmas(schedule, "normal", steps)
    z = sample(Guided(conditional, unconditional, cfg_scale), schedule, sigmas, blank, seed, dpmpp_2m)
    return ((model.decode_first_stage(z) + 1) / 2).clamp(0, 1).movedim(1, -1).cpu()


@contextmanager
def _seeded(seed: int) -> Generator[None]:
    """Draw initial weights from a seed, and leave torch's own generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
