"""The denoising U-Net eps_theta(z_t, t, y) of latent diffusion, for every conditioning of the paper.

One class covers the LDM zoo and Stable Diffusion 1.x, 2.x and XL. Attribute names are the checkpoint keys below
`model.diffusion_model.`, so weights load strictly without a table.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.ldm.attention import AttentionBlock, SpatialTransformer
from engine.ldm.layers import Downsample, Upsample, timestep_embedding, zero_init


@dataclass(frozen=True)
class UNetConfig:
    """Shape of a U-Net; the names are those of the original's YAML files.

    `attention_resolutions` are downsampling factors (1, 2, 4, ...), not pixels. Give `num_heads` or
    `num_head_channels`. `context_dim` set means `SpatialTransformer`, otherwise `AttentionBlock`.
    `transformer_depth` is one number, or one for each level. `num_classes` adds a class embedding to the time
    embedding ("adm"); `adm_in_channels` a projected vector instead (Stable Diffusion XL). `norm_groups` is 32 in all
    published models; a narrow one does better with fewer. `use_new_attention_order`: see `AttentionBlock`.
    """

    in_channels: int
    out_channels: int
    model_channels: int
    channel_mult: tuple[int, ...] = (1, 2, 4, 8)
    num_res_blocks: int = 2
    attention_resolutions: tuple[int, ...] = ()
    num_heads: int | None = None
    num_head_channels: int | None = None
    context_dim: int | None = None
    transformer_depth: int | tuple[int, ...] = 1
    use_linear_in_transformer: bool = False
    use_scale_shift_norm: bool = False
    resblock_updown: bool = False
    conv_resample: bool = True
    num_classes: int | None = None
    adm_in_channels: int | None = None
    dropout: float = 0.0
    norm_groups: int = 32
    use_new_attention_order: bool = False

    def heads(self, channels: int) -> int:
        """Attention heads at a width of `channels`."""
        if self.num_head_channels is not None:
            return channels // self.num_head_channels
        return self.num_heads or 1

    def depth(self, level: int) -> int:
        """Transformer blocks in each SpatialTransformer of a level."""
        return self.transformer_depth if isinstance(self.transformer_depth, int) else self.transformer_depth[level]


class ResBlock(nn.Module):
    """Two convolutions with the time embedding in between, added to the (resampled, projected) input.

    With `use_scale_shift_norm` the embedding scales and shifts the second norm (FiLM), otherwise it is added.

    Source: Dhariwal & Nichol 2021 (arXiv:2105.05233), sec. 3 ("adaptive group normalization").
    """

    def __init__(self, channels: int, out_channels: int, config: UNetConfig, resample: str | None = None) -> None:
        super().__init__()
        self.use_scale_shift_norm = config.use_scale_shift_norm
        self.in_layers = nn.Sequential(
            nn.GroupNorm(config.norm_groups, channels), nn.SiLU(), nn.Conv2d(channels, out_channels, 3, padding=1)
        )
        self.resample = {"up": Upsample, "down": Downsample}[resample](channels, False) if resample else None
        embedding = 4 * config.model_channels
        self.emb_layers = nn.Sequential(
            nn.SiLU(), nn.Linear(embedding, 2 * out_channels if config.use_scale_shift_norm else out_channels)
        )
        self.out_layers = nn.Sequential(
            nn.GroupNorm(config.norm_groups, out_channels),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            zero_init(nn.Conv2d(out_channels, out_channels, 3, padding=1)),
        )
        self.skip_connection = nn.Identity() if channels == out_channels else nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        """x: [B, C, H, W]; emb: [B, 4 * model_channels]. Returns [B, C_out, H', W']."""
        norm, activation, conv = self.in_layers
        h = activation(norm(x))
        if self.resample is not None:
            h, x = self.resample(h), self.resample(x)
        h = conv(h)
        emb = self.emb_layers(emb)[:, :, None, None]
        if self.use_scale_shift_norm:
            scale, shift = emb.chunk(2, dim=1)
            h = self.out_layers[0](h) * (1 + scale) + shift
            h = self.out_layers[1:](h)
        else:
            h = self.out_layers(h + emb)
        return self.skip_connection(x) + h


class Block(nn.ModuleList):
    """One step of the U-Net: layers called in order, each with what it takes."""

    def forward(self, x: Tensor, emb: Tensor, context: Tensor | None) -> Tensor:
        for layer in self:
            if isinstance(layer, ResBlock):
                x = layer(x, emb)
            elif isinstance(layer, SpatialTransformer):
                x = layer(x, context)
            else:
                x = layer(x)
        return x


class UNetModel(nn.Module):
    """eps_theta(z_t, t, tau(y)): predicts the noise in a latent (or v, or the clean latent, as it was trained).

    Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.2-3.3; architecture of Dhariwal & Nichol 2021.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.model_channels
        embedding = 4 * width
        self.time_embed = nn.Sequential(nn.Linear(width, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        if config.num_classes is not None:
            self.label_emb = nn.Embedding(config.num_classes, embedding)
        elif config.adm_in_channels is not None:
            self.label_emb = nn.Sequential(
                nn.Sequential(nn.Linear(config.adm_in_channels, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
            )

        channels, factor = width, 1
        skips = [channels]
        self.input_blocks = nn.ModuleList([Block([nn.Conv2d(config.in_channels, channels, 3, padding=1)])])
        for level, mult in enumerate(config.channel_mult):
            for _ in range(config.num_res_blocks):
                layers: list[nn.Module] = [ResBlock(channels, mult * width, config)]
                channels = mult * width
                if factor in config.attention_resolutions:
                    layers.append(self._attention(channels, level))
                self.input_blocks.append(Block(layers))
                skips.append(channels)
            if level < len(config.channel_mult) - 1:
                self.input_blocks.append(Block([self._resample(channels, "down")]))
                skips.append(channels)
                factor *= 2

        self.middle_block = Block(
            [
                ResBlock(channels, channels, config),
                self._attention(channels, len(config.channel_mult) - 1),
                ResBlock(channels, channels, config),
            ]
        )

        self.output_blocks = nn.ModuleList()
        for level, mult in reversed(list(enumerate(config.channel_mult))):
            for index in range(config.num_res_blocks + 1):
                layers = [ResBlock(channels + skips.pop(), mult * width, config)]
                channels = mult * width
                if factor in config.attention_resolutions:
                    layers.append(self._attention(channels, level))
                if level > 0 and index == config.num_res_blocks:
                    layers.append(self._resample(channels, "up"))
                    factor //= 2
                self.output_blocks.append(Block(layers))

        self.out = nn.Sequential(
            nn.GroupNorm(config.norm_groups, channels),
            nn.SiLU(),
            zero_init(nn.Conv2d(width, config.out_channels, 3, padding=1)),
        )

    def _attention(self, channels: int, level: int) -> nn.Module:
        config = self.config
        if config.context_dim is None:
            return AttentionBlock(channels, config.heads(channels), config.norm_groups, config.use_new_attention_order)
        return SpatialTransformer(
            channels,
            config.heads(channels),
            config.depth(level),
            config.context_dim,
            config.use_linear_in_transformer,
            config.dropout,
            config.norm_groups,
        )

    def _resample(self, channels: int, direction: str) -> nn.Module:
        if self.config.resblock_updown:
            return ResBlock(channels, channels, self.config, resample=direction)
        layer = Upsample if direction == "up" else Downsample
        return layer(channels, self.config.conv_resample)

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        """Predict.

        Args:
            x: [B, in_channels, h, w]; h and w divisible by 2^(levels - 1). Concatenated conditions are in the channels.
            timesteps: [B], in [0, T), fractions allowed.
            context: [B, S, context_dim] for cross-attention.
            y: [B] class indices, or [B, adm_in_channels].

        Returns:
            [B, out_channels, h, w].

        Raises:
            ValueError: The sides do not halve evenly.
        """
        divisor = 2 ** (len(self.config.channel_mult) - 1)
        if x.shape[-2] % divisor or x.shape[-1] % divisor:
            raise ValueError(
                f"latent is {x.shape[-1]}x{x.shape[-2]}, this U-Net halves its sides until {divisor} times smaller; "
                f"use sides divisible by {divisor}"
            )
        emb = timestep_embedding(timesteps, self.config.model_channels).to(x.dtype)
        emb = self.time_embed(emb)
        if y is not None:
            emb = emb + self.label_emb(y)
        skips: list[Tensor] = []
        h = x
        for block in self.input_blocks:
            h = block(h, emb, context)
            skips.append(h)
        h = self.middle_block(h, emb, context)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), emb, context)
        return self.out(h)
