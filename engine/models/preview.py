"""Pictures of a sampling under way: what the model thinks so far, a few times a second, for as little as that may cost.

A small latent is decoded by the checkpoint's own first stage. Where that takes too long, each cell's colour is a linear
function of its channels, fitted once to the decoder. A model without a first stage shows its first three channels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import ModelFileError, OutOfMemory
from engine.models.handles import VAE, Model
from engine.models.manager import ModelManager
from engine.pixels import encode_jpeg, resize

if TYPE_CHECKING:
    from engine.ldm.autoencoder import AutoencoderConfig
    from engine.models.device import Device

INTERVAL_S = 0.2
COST_SHARE = 0.1
"""Of the time of a sampling, at most this much goes into previews, beside the first one, which may have to load."""
MOST_PICTURES = 4
SMALLEST_SIDE, LARGEST_SIDE = 256, 512
QUICK_OPERATIONS = {"cpu": 1e9, "mps": 3e10, "cuda": 3e11}
"""Multiplications of a decoding that takes about 30 ms, by the device's class."""
_FIT_PICTURES, _FIT_CELLS = 8, 8
_RIDGE = 1e-3


class Previews:
    """Shows a sampling as it goes. For the device's lane, within the sampling.

    Args:
        scale: latents times this are what the model computes with.
        show: takes each picture, a JPEG.
        clock: seconds.
    """

    def __init__(
        self,
        manager: ModelManager,
        model: Model,
        show: Callable[[bytes], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._manager, self._show, self._clock = manager, show, clock
        self._first_stage = model.first_stage
        self._scale = model.config.scale_factor
        self._next = -math.inf
        self._shown = 0

    def offer(self, denoised: Tensor) -> None:
        """Show a latent if it is time for the next picture.

        Args:
            denoised: [B, C, h, w], scaled.
        """
        begun = self._clock()
        if begun < self._next:
            return
        with torch.inference_mode():
            pictures = self._pictures(denoised[:MOST_PICTURES].float() / self._scale)
            self._show(encode_jpeg(_enlarged(_sheet(pictures)), LARGEST_SIDE))
        now = self._clock()
        rest = 0.0 if self._shown == 0 else (now - begun) / COST_SHARE
        self._next = begun + max(INTERVAL_S, rest)
        self._shown += 1

    def _pictures(self, z: Tensor) -> Tensor:
        """[B, C, h, w] to [B, H, W, 3] in [0, 1], about."""
        vae = self._first_stage
        if vae is not None and vae.config.embed_dim == z.shape[1]:
            try:
                quick = _operations(vae.config, z) <= QUICK_OPERATIONS[self._manager.device.kind]
                with self._manager.use(vae if quick else CellColours(vae, 1 / self._scale)) as network:
                    pixels = network.decode(z)  # [B, 3, H, W]
                return pixels.movedim(1, -1) / 2 + 0.5
            except (ModelFileError, OutOfMemory):
                self._first_stage = None  # the file has none after all, or there is no room: never a reason to fail
        return _first_channels(z)


@dataclass(frozen=True)
class CellColours:
    """Handle of the linear map from a latent cell to its mean colour, fitted to a first stage's decoder."""

    vae: VAE
    spread: float
    """The standard deviation of its latents: 1 / scale factor."""

    @property
    def label(self) -> str:
        return f"previews of {Path(self.vae.weights.path).name}"

    def build(self, device: Device) -> LinearDecoder:
        """Fit the map by least squares to what the decoder makes of a few smooth random latents.

        Raises:
            ModelFileError: as `VAE.build`.
        """
        config = self.vae.config
        draw = torch.Generator().manual_seed(0)
        shape = (_FIT_PICTURES, config.embed_dim)
        z = 0.3 * torch.randn(*shape, _FIT_CELLS, _FIT_CELLS, generator=draw)
        for side in (2, 4):
            z += F.interpolate(torch.randn(*shape, side, side, generator=draw), size=z.shape[2:], mode="bicubic")
        with torch.no_grad():
            decoder = self.vae.build(device).to(device.torch_device)
            z *= self.spread / z.std()
            pixels = decoder.decode(z.to(device.torch_device)).cpu()
            cells = F.avg_pool2d(pixels, config.downsampling).movedim(1, -1).reshape(-1, pixels.shape[1])  # [N, 3]
            given = F.pad(z.movedim(1, -1).reshape(-1, config.embed_dim), (0, 1), value=1.0)  # [N, C + 1]
            square = given.T @ given
            ridge = _RIDGE * square.diagonal().mean() * torch.eye(len(square))
            return LinearDecoder(cast(Tensor, torch.linalg.solve(square + ridge, given.T @ cells)))  # [C + 1, 3]


class LinearDecoder(nn.Module):
    """Cells to colours: rgb = W z + b."""

    def __init__(self, solution: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", solution[:-1].T.contiguous())
        self.register_buffer("bias", solution[-1].clone())

    def decode(self, z: Tensor) -> Tensor:
        """[B, C, h, w] to [B, 3, h, w], about [-1, 1]."""
        return F.conv2d(z, self.get_buffer("weight")[:, :, None, None], self.get_buffer("bias"))


def _operations(config: AutoencoderConfig, z: Tensor) -> float:
    """Multiplications of decoding, about: the convolutions at full resolution are most of them."""
    batch, _, height, width = z.shape
    channels, convolutions = config.ch * config.ch_mult[0], 2 * (config.num_res_blocks + 1)
    return batch * height * width * config.downsampling**2 * convolutions * 9.0 * channels**2


def _first_channels(z: Tensor) -> Tensor:
    """Three channels of a latent as colours, the last one repeated where there are fewer: [B, h, w, 3] in [0, 1]."""
    channels = [min(index, z.shape[1] - 1) for index in range(3)]
    colours = z[:, channels].movedim(1, -1)
    low, high = colours.amin((1, 2), keepdim=True), colours.amax((1, 2), keepdim=True)
    return (colours - low) / (high - low).clamp(min=1e-6)


def _sheet(pictures: Tensor) -> Tensor:
    """One picture, two side by side, or four in a square: [B, H, W, 3] to [1, H', W', 3]; of three, the third alone
    below."""
    if len(pictures) == 3:
        pictures = torch.cat((pictures, torch.zeros_like(pictures[:1])))
    rows = [
        torch.cat([*pictures[index : index + 2]], dim=1) for index in range(0, len(pictures), 2)
    ]  # each [H, 2 W, 3]
    return torch.cat(rows)[None]


def _enlarged(picture: Tensor) -> Tensor:
    """[1, H, W, 3] to [H', W', 3], its longer side at least SMALLEST_SIDE; smooth, since cells are no pixels."""
    height, width = picture.shape[1:3]
    factor = math.ceil(SMALLEST_SIDE / max(height, width))
    return (picture if factor <= 1 else resize(picture, "lanczos", width * factor, height * factor))[0]
