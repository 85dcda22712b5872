"""What a U-Net is told besides z_t and t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
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

    @classmethod
    def batch(cls, conditions: Sequence[Condition]) -> Condition:
        """Stack conditions row after row, as for classifier-free guidance; all have the same parts."""
        return cls(
            concat=_cat([condition.concat for condition in conditions]),
            context=_cat([condition.context for condition in conditions]),
            y=_cat([condition.y for condition in conditions]),
        )


def _cat(parts: Sequence[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    if not present:
        return None
    if len(present) < len(parts):
        raise ValueError("some conditions have a part that others lack; they cannot share a batch")
    return torch.cat(present)
