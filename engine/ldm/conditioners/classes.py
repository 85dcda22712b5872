"""Class labels to a context of one token."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class ClassConfig:
    """`n_classes` labels of width `embed_dim`; a model trained for guidance keeps one label for "no class"."""

    embed_dim: int
    n_classes: int = 1000


class ClassEmbedder(nn.Module):
    """One learned vector for each class.

    Source: `ClassEmbedder` of CompVis/latent-diffusion, ldm/modules/encoders/modules.py.
    """

    def __init__(self, config: ClassConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.n_classes, config.embed_dim)

    def forward(self, labels: Tensor) -> Tensor:
        """labels: [B] integers in [0, n_classes). Returns a context [B, 1, embed_dim]."""
        return self.embedding(labels[:, None])
