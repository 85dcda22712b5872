"""Attention over the cells of a feature map: `AttentionBlock` (self), `SpatialTransformer` (self and cross).

Attribute names are the original's checkpoint keys (CompVis/latent-diffusion `attention.py`, `openaimodel.py`).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.layers import zero_init


def multi_head_attention(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Scaled dot-product attention: softmax(q k^T / sqrt(D/heads)) v, per head.

    Args:
        q: [B, Tq, D]. k, v: [B, Tk, D]; heads lie beside each other in D.

    Returns:
        [B, Tq, D].

    Source: Vaswani et al. 2017 (arXiv:1706.03762), eq. 1.
    """

    def split(x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)  # [B, heads, T, D/heads]

    return F.scaled_dot_product_attention(split(q), split(k), split(v)).transpose(1, 2).flatten(2)


class AttentionBlock(nn.Module):
    """Self-attention among all cells of [B, C, H, W], added to its input.

    q, k and v come from one convolution whose channels are ordered per head ([heads, 3, C/heads]); in the "new order"
    all of q come first ([3, heads, C/heads]).

    Source: Dhariwal & Nichol 2021 (arXiv:2105.05233), sec. 3; the orders: `QKVAttentionLegacy` and `QKVAttention` of
    openai/guided-diffusion, unet.py.
    """

    def __init__(self, channels: int, heads: int, norm_groups: int = 32, new_order: bool = False) -> None:
        super().__init__()
        self.heads, self.new_order = heads, new_order
        self.norm = nn.GroupNorm(norm_groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zero_init(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)  # [B, C, H*W]
        order = (3, self.heads, -1) if self.new_order else (self.heads, 3, -1)
        qkv = self.qkv(self.norm(flat)).unflatten(1, order)  # [B, heads, 3, C/heads, H*W], or 3 before heads
        q, k, v = qkv.transpose(-1, -2).unbind(1 if self.new_order else 2)  # each [B, heads, H*W, C/heads]
        h = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).flatten(1, 2)  # [B, C, H*W]
        return (flat + self.proj_out(h)).view_as(x)


class CrossAttention(nn.Module):
    """Attention from tokens to a context; to themselves where no context is given.

    Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.3: Q = W_Q phi(z), K = W_K tau(y), V = W_V tau(y).
    """

    def __init__(self, query_dim: int, context_dim: int | None, heads: int, dim_head: int) -> None:
        super().__init__()
        inner = heads * dim_head
        self.heads = heads
        self.to_q = nn.Linear(query_dim, inner, bias=False)
        self.to_k = nn.Linear(context_dim or query_dim, inner, bias=False)
        self.to_v = nn.Linear(context_dim or query_dim, inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, query_dim), nn.Identity())

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """x: [B, T, D]; context: [B, S, context_dim] or None. Returns [B, T, D]."""
        source = x if context is None else context
        return self.to_out(multi_head_attention(self.to_q(x), self.to_k(source), self.to_v(source), self.heads))


class GEGLU(nn.Module):
    """x W_1 * gelu(x W_2). Source: Shazeer 2020 (arXiv:2002.05202), eq. 6."""

    def __init__(self, dim_in: int, dim_out: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim_in, 2 * dim_out)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """Two linear layers, four times wider in between, with a gated activation."""

    def __init__(self, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.net = nn.Sequential(GEGLU(dim, 4 * dim), nn.Dropout(dropout), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class BasicTransformerBlock(nn.Module):
    """Self-attention, cross-attention and feed-forward, each after a layer norm and added to its input."""

    def __init__(self, dim: int, heads: int, dim_head: int, context_dim: int | None, dropout: float = 0.0) -> None:
        super().__init__()
        self.attn1 = CrossAttention(dim, None, heads, dim_head)
        self.ff = FeedForward(dim, dropout)
        self.attn2 = CrossAttention(dim, context_dim, heads, dim_head)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.norm3 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    """Transformer blocks over the cells of [B, C, H, W], attending to a context [B, S, context_dim].

    `use_linear` projects tokens instead of convolving cells (Stable Diffusion 2 and XL).

    Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.3 and appendix E.2.1.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        depth: int,
        context_dim: int | None,
        use_linear: bool = False,
        dropout: float = 0.0,
        norm_groups: int = 32,
    ) -> None:
        super().__init__()
        self.use_linear = use_linear
        self.norm = nn.GroupNorm(norm_groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels) if use_linear else nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = nn.ModuleList(
            BasicTransformerBlock(channels, heads, channels // heads, context_dim, dropout) for _ in range(depth)
        )
        self.proj_out = zero_init(nn.Linear(channels, channels) if use_linear else nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        _, _, height, width = x.shape
        h = self.norm(x)
        if self.use_linear:
            h = self.proj_in(h.flatten(2).transpose(1, 2))  # [B, H*W, C]
        else:
            h = self.proj_in(h).flatten(2).transpose(1, 2)  # [B, H*W, C]
        for block in self.transformer_blocks:
            h = block(h, context)
        if self.use_linear:
            return x + self.proj_out(h).transpose(1, 2).unflatten(2, (height, width))
        return x + self.proj_out(h.transpose(1, 2).unflatten(2, (height, width)))
