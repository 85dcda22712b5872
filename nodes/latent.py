"""Latents: empty ones to start from, batches, masks."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from engine.errors import InputProblem
from engine.models.handles import VAE
from engine.node import BatchSize, Height, Width, node
from engine.values import Latent, Mask

BatchIndex = Annotated[int, Field(ge=0, le=4095)]
MAX_BYTES = 2**31
STABLE_DIFFUSION = (4, 8)
"""Channels of a latent, and pixels a cell, where no autoencoder says otherwise."""


@node(category="latent", title="Empty Latent", aliases=("EmptyLatentImage",))
def EmptyLatent(width: Width = 512, height: Height = 512, batch_size: BatchSize = 1, vae: VAE | None = None) -> Latent:
    """Make a blank latent to sample from.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        batch_size: How many pictures to make at once.
        vae: The model's autoencoder, which knows the latent's shape; without it 4 channels and 8 pixels a cell.
    """
    import torch

    channels, factor = (vae.config.embed_dim, vae.config.downsampling) if vae else STABLE_DIFFUSION
    needed = 4 * batch_size * channels * (height // factor) * (width // factor)
    if needed > MAX_BYTES:
        raise InputProblem(
            f"{batch_size} latents of {width}x{height} take {needed / 2**30:.1f} GiB, more than {MAX_BYTES // 2**30}; "
            "ask for fewer or smaller ones",
            "batch_size",
        )
    return Latent(torch.zeros(batch_size, channels, height // factor, width // factor))


@node(category="latent/inpaint")
def SetLatentNoiseMask(samples: Latent, mask: Mask) -> Latent:
    """Repaint only where the mask is 1.

    Args:
        samples: The latent to change in part.
        mask: 1 = repaint, 0 = keep.
    """
    return replace(samples, noise_mask=mask.values)


@node(category="latent/batch")
def RepeatLatentBatch(samples: Latent, amount: BatchSize = 1) -> Latent:
    """Repeat latents, to make several pictures from each.

    Args:
        samples: The latents.
        amount: How many times.
    """
    mask, indices = samples.noise_mask, samples.batch_index
    if mask is not None and len(mask) > 1:
        mask = mask.repeat(amount, 1, 1)
    if indices is not None:  # each copy takes the noise behind that of the one before, as in ComfyUI
        offset = max(indices) - min(indices) + 1
        indices = tuple(index + copy * offset for copy in range(amount) for index in indices)
    return Latent(samples.samples.repeat(amount, 1, 1, 1), mask, indices)


@node(category="latent/batch")
def LatentFromBatch(samples: Latent, batch_index: BatchIndex = 0, length: BatchSize = 1) -> Latent:
    """Take some latents out of a batch; sampled again, each keeps the noise it had there.

    Args:
        samples: The batch.
        batch_index: The first to take, counted from 0.
        length: How many.
    """
    count = len(samples.samples)
    start = min(batch_index, count - 1)
    stop = min(start + length, count)
    indices = samples.batch_index or tuple(range(count))
    mask = samples.noise_mask
    chosen_mask = mask[start:stop] if mask is not None and len(mask) > 1 else mask
    return Latent(samples.samples[start:stop], chosen_mask, indices[start:stop])


@node(category="latent/advanced", title="Interpolate Latents")
def InterpolateLatents(samples1: Latent, samples2: Latent, count: BatchSize = 5) -> Latent:
    """Go from one latent to another in equal steps: a batch that begins with the one and ends with the other.

    The way leads along a great circle (Shoemake 1985), since means of latents are too short to look like pictures.

    Args:
        samples1: Where to begin; of a batch its first.
        samples2: Where to end.
        count: How many latents, both ends among them.
    """
    import torch

    first, last = samples1.samples[:1], samples2.samples[:1]
    if first.shape != last.shape:
        raise InputProblem(
            f"the latents are {list(first.shape[1:])} and {list(last.shape[1:])}; make them from pictures of one size "
            "with one VAE",
            "samples2",
        )
    cosine = torch.nn.functional.cosine_similarity(first.flatten(), last.flatten(), dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine)
    shares = torch.linspace(0, 1, count).reshape(-1, 1, 1, 1)
    if angle.sin().abs() < 1e-4:  # of one direction, or opposite: there is no circle to follow
        return Latent(first * (1 - shares) + last * shares)
    return Latent((first * ((1 - shares) * angle).sin() + last * (shares * angle).sin()) / angle.sin())
