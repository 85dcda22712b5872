"""What a U-Net is told besides z_t and t."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.errors import InputProblem

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

    def to(self, device: torch.device) -> Condition:
        """The same on a device."""
        parts = (self.concat, self.context, self.y)
        return Condition(*(None if part is None else part.to(device) for part in parts))


def joined(first: Condition, second: Condition) -> Condition:
    """Both conditions at once: `concat` and `context` one after the other, `y` of whichever has one.

    Raises:
        InputProblem: they do not go together.
    """
    if first.y is not None and second.y is not None:
        raise InputProblem("both conditions name a class; give one", "conditioning_2")
    return Condition(
        _lined_up(first.concat, second.concat, (2, 3), "cells beside the noise"),
        _lined_up(first.context, second.context, (2,), "numbers a word"),
        second.y if first.y is None else first.y,
    )


def _lined_up(first: Tensor | None, second: Tensor | None, alike: tuple[int, ...], what: str) -> Tensor | None:
    if first is None or second is None:
        return second if first is None else first
    sizes = [[tensor.shape[dim] for dim in alike] for tensor in (first, second)]
    if sizes[0] != sizes[1]:
        raise InputProblem(f"the conditions have {sizes[0]} and {sizes[1]} {what}; make them alike", "conditioning_2")
    rows = max(len(first), len(second))
    if {len(first), len(second)} - {1, rows}:
        raise InputProblem(
            f"the conditions are for {len(first)} and {len(second)} pictures; give one for all, or one for each",
            "conditioning_2",
        )
    return torch.cat([tensor.expand(rows, *tensor.shape[1:]) for tensor in (first, second)], dim=1)
