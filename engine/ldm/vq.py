"""Vector quantisation: the codebook of the VQ autoencoder.

Source: van den Oord et al. 2017 (arXiv:1711.00937), sec. 3; the loss weighting ("legacy") of taming-transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Quantization:
    """`quantized`: [B, C, h, w] with straight-through gradient; `indices`: [B, h, w]; `loss`: scalar codebook loss."""

    quantized: Tensor
    indices: Tensor
    loss: Tensor


class VectorQuantizer(nn.Module):
    """Replace every cell of a latent by its nearest codebook entry."""

    def __init__(self, n_embed: int, embed_dim: int, beta: float = 0.25) -> None:
        super().__init__()
        self.beta = beta
        self.embedding = nn.Embedding(n_embed, embed_dim)
        nn.init.uniform_(self.embedding.weight, -1.0 / n_embed, 1.0 / n_embed)

    def forward(self, z: Tensor) -> Quantization:
        """z: [B, C, h, w]. Loss: mean((sg[zq] - z)^2) + beta * mean((zq - sg[z])^2), beta on the codebook's term."""
        codebook = self.embedding.weight  # [N, C]
        flat = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])  # [B*h*w, C]
        # |z - e|^2 without forming the [B*h*w, N, C] differences.
        distances = flat.square().sum(1, keepdim=True) + codebook.square().sum(1) - 2 * flat @ codebook.t()
        indices = distances.argmin(dim=1).view(z.shape[0], *z.shape[2:])
        quantized = self.lookup(indices)
        loss = (quantized.detach() - z).square().mean() + self.beta * (quantized - z.detach()).square().mean()
        return Quantization(z + (quantized - z).detach(), indices, loss)

    def lookup(self, indices: Tensor) -> Tensor:
        """indices: [B, h, w]. Returns [B, C, h, w]."""
        return self.embedding(indices).permute(0, 3, 1, 2).contiguous()
