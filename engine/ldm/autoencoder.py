"""The perceptual autoencoder (first stage): pixels to latents and back, with KL or VQ regularisation.

Attribute names are the checkpoint keys (below `first_stage_model.` in a whole checkpoint).

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.1; architecture of Esser et al. 2021 (taming-transformers).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.vq import Quantization, VectorQuantizer


@dataclass(frozen=True)
class AutoencoderConfig:
    """Shape of an autoencoder; the names are those of the original's `ddconfig`.

    `n_embed` set makes it a VQ autoencoder, None a KL autoencoder. `attn_resolutions` are pixels at `resolution`.
    `norm_groups` is 32 in all published models; a narrow one needs fewer, or its group norms become instance norms,
    which forget how bright a picture is.
    """

    ch: int = 128
    ch_mult: tuple[int, ...] = (1, 2, 4)
    num_res_blocks: int = 2
    z_channels: int = 3
    embed_dim: int = 3
    in_channels: int = 3
    out_ch: int = 3
    resolution: int = 256
    attn_resolutions: tuple[int, ...] = ()
    mid_attention: bool = True
    n_embed: int | None = None
    dropout: float = 0.0
    norm_groups: int = 32

    @property
    def downsampling(self) -> int:
        """f: pixels per latent cell along a side."""
        return 2 ** (len(self.ch_mult) - 1)


def _norm(channels: int, config: AutoencoderConfig) -> nn.GroupNorm:
    return nn.GroupNorm(config.norm_groups, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    """Two normalised convolutions added to the (projected) input: [B, C, H, W] -> [B, C_out, H, W]."""

    def __init__(self, channels: int, out_channels: int, config: AutoencoderConfig) -> None:
        super().__init__()
        self.norm1 = _norm(channels, config)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.norm2 = _norm(out_channels, config)
        self.dropout = nn.Dropout(config.dropout)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.nin_shortcut = None if channels == out_channels else nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        return (x if self.nin_shortcut is None else self.nin_shortcut(x)) + h


class AttnBlock(nn.Module):
    """Single-head self-attention among all cells of [B, C, H, W], added to the input."""

    def __init__(self, channels: int, config: AutoencoderConfig) -> None:
        super().__init__()
        self.norm = _norm(channels, config)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v))  # [B, 1, HW, C]
        h = F.scaled_dot_product_attention(q, k, v)[:, 0].transpose(1, 2).reshape(x.shape)
        return x + self.proj_out(h)


class Downsample(nn.Module):
    """Halve the sides by a strided convolution, padded at the right and the bottom only, as the original does."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Double the sides by nearest neighbour and convolve."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """One resolution: blocks, each followed by attention where the level has it, then resampling where it has that."""

    def __init__(
        self, channels: int, out_channels: int, blocks: int, attention: bool, config: AutoencoderConfig
    ) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            ResnetBlock(channels if index == 0 else out_channels, out_channels, config) for index in range(blocks)
        )
        self.attn = nn.ModuleList(AttnBlock(out_channels, config) for _ in range(blocks if attention else 0))
        self.downsample: Downsample | None = None
        self.upsample: Upsample | None = None

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if len(self.attn):
                x = self.attn[index](x)
        if self.downsample is not None:
            x = self.downsample(x)
        if self.upsample is not None:
            x = self.upsample(x)
        return x


class Middle(nn.Module):
    """Block, attention (unless the model has none), block at the lowest resolution."""

    def __init__(self, channels: int, config: AutoencoderConfig) -> None:
        super().__init__()
        self.block_1 = ResnetBlock(channels, channels, config)
        self.attn_1 = AttnBlock(channels, config) if config.mid_attention else nn.Identity()
        self.block_2 = ResnetBlock(channels, channels, config)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Encoder(nn.Module):
    """[B, in_channels, H, W] -> [B, z_channels (KL: twice), H/f, W/f]."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        channels, resolution = config.ch, config.resolution
        self.conv_in = nn.Conv2d(config.in_channels, channels, 3, padding=1)
        self.down = nn.ModuleList()
        last = len(config.ch_mult) - 1
        for index, mult in enumerate(config.ch_mult):
            attention = resolution in config.attn_resolutions
            level = Level(channels, config.ch * mult, config.num_res_blocks, attention, config)
            channels = config.ch * mult
            if index != last:
                level.downsample = Downsample(channels)
                resolution //= 2
            self.down.append(level)
        self.mid = Middle(channels, config)
        self.norm_out = _norm(channels, config)
        out = config.z_channels if config.n_embed else 2 * config.z_channels
        self.conv_out = nn.Conv2d(channels, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.down:
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    """[B, z_channels, h, w] -> [B, out_ch, h*f, w*f]. `up[0]` is the highest resolution."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        channels = config.ch * config.ch_mult[-1]
        resolution = config.resolution // config.downsampling
        self.conv_in = nn.Conv2d(config.z_channels, channels, 3, padding=1)
        self.mid = Middle(channels, config)
        levels: list[Level] = []
        for index, mult in reversed(list(enumerate(config.ch_mult))):
            attention = resolution in config.attn_resolutions
            level = Level(channels, config.ch * mult, config.num_res_blocks + 1, attention, config)
            channels = config.ch * mult
            if index != 0:
                level.upsample = Upsample(channels)
                resolution *= 2
            levels.append(level)
        self.up = nn.ModuleList(reversed(levels))
        self.norm_out = _norm(channels, config)
        self.conv_out = nn.Conv2d(channels, config.out_ch, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(h)))


@dataclass(frozen=True)
class DiagonalGaussian:
    """q(z|x): a Gaussian with independent entries. `mean`, `logvar`: [B, C, h, w]; logvar is clamped to [-30, 20]."""

    mean: Tensor
    logvar: Tensor

    @classmethod
    def from_moments(cls, moments: Tensor) -> DiagonalGaussian:
        mean, logvar = moments.chunk(2, dim=1)
        return cls(mean, logvar.clamp(-30.0, 20.0))

    def mode(self) -> Tensor:
        return self.mean

    def sample(self, noise: Tensor) -> Tensor:
        """mean + std * noise (the reparameterisation of Kingma & Welling 2014, eq. 10)."""
        return self.mean + torch.exp(0.5 * self.logvar) * noise

    def kl(self) -> Tensor:
        """KL(q || N(0, 1)), summed over entries: [B]. Source: Kingma & Welling 2014 (arXiv:1312.6114), appendix B."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1.0 - self.logvar).sum(dim=(1, 2, 3))

    def nll(self, sample: Tensor) -> Tensor:
        """-log q(sample), summed over entries: [B]."""
        log_two_pi = 1.8378770664093453
        squared = (sample - self.mean).square() / self.logvar.exp()
        return 0.5 * (log_two_pi + self.logvar + squared).sum(dim=(1, 2, 3))


class AutoencoderKL(nn.Module):
    """Autoencoder whose latent is a Gaussian pulled towards N(0, 1)."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * config.z_channels, 2 * config.embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(config.embed_dim, config.z_channels, 1)

    def encode(self, x: Tensor) -> DiagonalGaussian:
        """x: [B, 3, H, W] in [-1, 1], H and W multiples of f. Returns q(z|x), [B, embed_dim, H/f, W/f], unscaled."""
        return DiagonalGaussian.from_moments(self.quant_conv(self.encoder(x)))

    def encode_mode(self, x: Tensor) -> Tensor:
        """The most likely latent: [B, embed_dim, H/f, W/f], unscaled."""
        return self.encode(x).mode()

    def decode(self, z: Tensor) -> Tensor:
        """z: [B, embed_dim, h, w], unscaled. Returns [B, 3, h*f, w*f], about [-1, 1], not clamped."""
        return self.decoder(self.post_quant_conv(z))


class VQModel(nn.Module):
    """Autoencoder whose latent is snapped to a codebook.

    Inside an LDM the diffusion works on latents *before* the codebook; decoding quantises first (`VQModelInterface`).
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        if config.n_embed is None:
            raise ValueError("a VQ autoencoder needs n_embed, the number of codebook entries")
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quantize = VectorQuantizer(config.n_embed, config.embed_dim)
        self.quant_conv = nn.Conv2d(config.z_channels, config.embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(config.embed_dim, config.z_channels, 1)

    def encode_mode(self, x: Tensor) -> Tensor:
        """x: [B, 3, H, W] in [-1, 1]. Returns latents before the codebook: [B, embed_dim, H/f, W/f]."""
        return self.quant_conv(self.encoder(x))

    def encode(self, x: Tensor) -> Quantization:
        """Encode and snap to the codebook."""
        return self.quantize(self.encode_mode(x))

    def decode(self, z: Tensor, quantize: bool = True) -> Tensor:
        """z: [B, embed_dim, h, w], snapped to the codebook first unless `quantize` is off. Returns [B, 3, h*f, w*f]."""
        if quantize:
            z = self.quantize(z).quantized
        return self.decoder(self.post_quant_conv(z))

    def decode_indices(self, indices: Tensor) -> Tensor:
        """indices: [B, h, w] into the codebook. Returns [B, 3, h*f, w*f]."""
        return self.decode(self.quantize.lookup(indices), quantize=False)


@dataclass(frozen=True)
class IdentityConfig(AutoencoderConfig):
    """No autoencoder at all: the "latents" are the pixels themselves, in [-1, 1]. See `identity_config`."""


def identity_config(channels: int) -> IdentityConfig:
    """The first stage of a model that works on pixels, or on latents that come ready, of so many channels."""
    return IdentityConfig(
        ch=channels, ch_mult=(1,), z_channels=channels, embed_dim=channels, in_channels=channels, out_ch=channels
    )


class IdentityFirstStage(nn.Module):
    """Pixels in, the same pixels out: the first stage of DDPM (f = 1).

    Source: `IdentityFirstStage` of CompVis/latent-diffusion, ldm/models/autoencoder.py; its lack of an encoder to ask
    for the downsampling factor, which breaks patches there, is not copied: `config.downsampling` is 1.
    """

    def __init__(self, config: IdentityConfig) -> None:
        super().__init__()
        self.config = config

    def encode_mode(self, x: Tensor) -> Tensor:
        return x

    def decode(self, z: Tensor) -> Tensor:
        return z


Autoencoder = AutoencoderKL | VQModel
FirstStage = Autoencoder | IdentityFirstStage


def build_autoencoder(config: AutoencoderConfig) -> Autoencoder:
    """The KL or VQ autoencoder that a configuration describes, with random weights."""
    return AutoencoderKL(config) if config.n_embed is None else VQModel(config)
