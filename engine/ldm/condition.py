"""What a U-Net is told besides z_t and t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

ConditioningKey = Literal["concat", "crossattn", "hybrid", "adm"]


@dataclass(frozen=True)
class Condition:
    """Any of: `concat` [B, C, h, w] beside the latent; `context` [B, S, D] for cross-attention; `y` [B] or [B, D].

    Source: `DiffusionWrapper` of CompVis/latent-diffusion, ldm/models/diffusion/ddpm.py (c_concat, c_crossattn; adm).
    """

    concat: Tensor | None = None
    context: Tensor | None = None
    y: Tensor | None = None

    @classmethod
    def of(cls, key: ConditioningKey | None, tensor: Tensor) -> Condition:
        """Put a single tensor where a model of this conditioning key expects it."""
        match key:
            case "concat":
                return cls(concat=tensor)
            case "crossattn":
                return cls(context=tensor)
            case "adm":
                return cls(y=tensor)
            case "hybrid":
                raise ValueError("a hybrid model takes a concat and a context condition, not one tensor")
            case None:
                raise ValueError("this model takes no condition")
