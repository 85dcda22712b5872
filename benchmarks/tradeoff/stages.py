"""Train one factor's two stages into a folder, and make pictures at each point of its budget.

What a file of the folder already holds is not computed again.
"""

from __future__ import annotations

import itertools
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.tradeoff.plan import Plan
from engine.errors import FileProblem
from engine.ldm.autoencoder import Autoencoder
from engine.ldm.checkpoint import load_autoencoder, save_autoencoder
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.sampling.denoisers import DENOISERS
from engine.ldm.sampling.drive import sample
from engine.ldm.sampling.samplers import dpmpp_2m
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.training.conditions import NoConditions
from engine.ldm.training.loop import StepReport
from engine.ldm.training.objective import scale_from_std
from engine.ldm.training.pictures import PictureSet
from engine.ldm.training.stages import Latents, encode_pictures, new_model, train_autoencoder, train_diffusion
from engine.ldm.weights import open_model, save_model

TIMED_STEPS = 10
SAMPLED_AT_ONCE = 32


@dataclass(frozen=True)
class Point:
    """How a U-Net stood after `seconds` of CPU time: its loss (a mean over the last tenth of the steps) and speeds.

    `training_rate`, `sampling_rate`: pictures a second of CPU time; sampling includes the decoder.
    """

    factor: int
    seconds: float
    steps: int
    loss: float
    training_rate: float
    sampling_rate: float


@dataclass(frozen=True, eq=False)
class Behind:
    """What a U-Net is trained behind: a first stage (None for f = 1), its latents, and the model's configuration.

    `seconds_per_step`: CPU time. `folder` holds the training.
    """

    factor: int
    autoencoder: Autoencoder | None
    latents: Latents
    config: LatentDiffusionConfig
    seconds_per_step: float
    folder: Path


def first_stage(plan: Plan, factor: int, pictures: PictureSet, folder: Path) -> Autoencoder | None:
    """The trained autoencoder of a factor, None for f = 1."""
    if factor == 1:
        return None
    path = folder / f"f{factor}" / "first-stage.safetensors"
    if path.is_file():
        return load_autoencoder(open_model(path), torch.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    trained, _ = train_autoencoder(
        pictures, plan.first_stage(factor), plan.first_stage_settings(), path.with_suffix(".state.safetensors")
    )
    save_autoencoder(path, trained)
    return trained


@torch.inference_mode()
def reconstruct(pictures: PictureSet, autoencoder: Autoencoder | None) -> Tensor:
    """What is left of pictures after both ways through the first stage: [N, 3, S, S] in [-1, 1]."""
    x = pictures.batch(torch.arange(len(pictures)))
    if autoencoder is None:
        return x
    parts = [x[start : start + 64] for start in range(0, len(x), 64)]
    return torch.cat([autoencoder.decode(autoencoder.encode_mode(part)) for part in parts]).clamp(-1, 1)


def prepare(plan: Plan, factor: int, pictures: PictureSet, folder: Path) -> Behind:
    """Train a factor's first stage, encode the pictures by it, and time a step of its U-Net."""
    autoencoder = first_stage(plan, factor, pictures, folder)
    here = folder / f"f{factor}"
    here.mkdir(parents=True, exist_ok=True)
    if autoencoder is None:
        pixels = pictures.batch(torch.arange(len(pictures)))
        latents = Latents(pixels, torch.zeros_like(pixels))
    else:
        latents = Latents(*encode_pictures(pictures, autoencoder))
    # Of all pictures, not of a first batch as in the original: some batches are whiter than others.
    config = plan.model(factor, scale_from_std(latents.mean))
    timed = _timed(plan, config, autoencoder, latents, here / "timed.json")
    return Behind(factor, autoencoder, latents, config, timed, here)


def made_at(folder: Path, factor: int, seconds: float) -> Tensor:
    """The pictures a U-Net made after so many seconds: [N, 3, S, S] in [-1, 1]."""
    pixels = open_model(_samples(folder / f"f{factor}", seconds)).tensor("pictures")
    return pixels.float() / 127.5 - 1


def _samples(here: Path, seconds: float) -> Path:
    return here / f"pictures-{seconds:g}s.safetensors"


def _timed(
    plan: Plan, config: LatentDiffusionConfig, autoencoder: Autoencoder | None, latents: Latents, path: Path
) -> float:
    """CPU seconds of a training step: the median of a few that are thrown away."""
    if path.is_file():
        return float(json.loads(path.read_text())["seconds_per_step"])
    times: list[float] = [time.process_time()]

    def listen(report: StepReport) -> None:
        times.append(time.process_time())

    model = new_model(config, 0, autoencoder)
    train_diffusion(model, latents, NoConditions(), plan.settings(TIMED_STEPS), on_step=listen)
    taken = statistics.median(later - sooner for sooner, later in itertools.pairwise(times[1:]))
    path.write_text(json.dumps({"seconds_per_step": taken}))
    return taken


def train_until(plan: Plan, behind: Behind, seconds: float) -> Point:
    """Train a U-Net on until it has had so many seconds; its pictures are left in the folder, see `made_at`.

    Raises:
        FileProblem: it was trained for longer before, without leaving pictures of this point.
    """
    known = behind.folder / f"point-{seconds:g}s.json"
    if known.is_file():
        return Point(**json.loads(known.read_text()))
    steps = max(1, round(seconds / behind.seconds_per_step))
    model = new_model(behind.config, 0, behind.autoencoder)
    state = behind.folder / "unet.state.safetensors"
    history = train_diffusion(model, behind.latents, NoConditions(), plan.settings(steps), state)
    if history.step > steps:
        raise FileProblem(f"{state} was trained {history.step} steps, more than {steps}; name another folder")
    started = time.process_time()
    made = make_pictures(model, plan.pictures, behind.latents.mean.shape[-1], plan.sampling_steps)
    sampling_rate = plan.pictures / (time.process_time() - started)
    save_model(_samples(behind.folder, seconds), {"pictures": ((made + 1) * 127.5).round().byte()})
    loss = statistics.fmean(history.losses["loss"][-max(1, steps // 10) :])
    training_rate = plan.batch_size / behind.seconds_per_step
    point = Point(behind.factor, seconds, steps, loss, training_rate, sampling_rate)
    known.write_text(json.dumps(asdict(point)))
    return point


@torch.inference_mode()
def make_pictures(model: LatentDiffusion, count: int, cells: int, steps: int) -> Tensor:
    """Sample without condition by DPM-Solver++(2M): [count, 3, S, S] in [-1, 1]; f = 1 has no first stage to decode."""
    schedule = model.schedule()
    denoiser = DENOISERS[model.config.parameterization](model.unet, schedule)
    sigmas = sampler_sigmas(schedule, "normal", steps)
    made: list[Tensor] = []
    for start in range(0, count, SAMPLED_AT_ONCE):
        blank = torch.zeros(min(SAMPLED_AT_ONCE, count - start), model.config.unet.out_channels, cells, cells)
        z = sample(denoiser, schedule, sigmas, blank, seed=start, sampler=dpmpp_2m)
        made.append(model.decode_first_stage(z).clamp(-1, 1))
    return torch.cat(made)
