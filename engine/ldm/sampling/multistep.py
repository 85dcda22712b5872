"""Linear multistep weights: how past slopes are extrapolated over the next step."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)
"""Weights of the newest slope, the one before, ... for even steps, by their count (Hairer et al. 1993, III.1)."""


def adams_weights(nodes: Sequence[float], start: float, end: float) -> list[float]:
    """Integrate from start to end each polynomial that is 1 at one node and 0 at the others (Lagrange).

    Gauss-Legendre with two points is exact up to third degree, so for up to four nodes.

    Source: k-diffusion sampling.py, linear_multistep_coeff.
    """
    half, middle, root = (end - start) / 2, (end + start) / 2, 1 / math.sqrt(3)

    def basis(j: int, at: float) -> float:
        return math.prod((at - node) / (nodes[j] - node) for k, node in enumerate(nodes) if k != j)

    return [half * (basis(j, middle - half * root) + basis(j, middle + half * root)) for j in range(len(nodes))]


def weighted_sum(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Add tensors, each times its weight."""
    total = tensors[0] * weights[0]
    for tensor, weight in zip(tensors[1:], weights[1:], strict=True):
        total = total + tensor * weight
    return total
