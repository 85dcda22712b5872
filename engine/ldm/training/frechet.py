"""The Frechet distance between two sets of pictures, by their features.

With the features of an Inception network this is FID; with those of another network it is a figure of its own, to
compare within one table only.

Source: Heusel et al. 2017 (arXiv:1706.08500), eq. 6; Dowson & Landau 1982.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """|mean_a - mean_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), of normal distributions fitted to features.

    Biased upwards for few rows: compare only distances of as many rows.

    Args:
        a, b: [N, D] and [M, D], features of each picture.

    Returns:
        The squared distance, at least 0, computed in float64.

    Raises:
        ValueError: a set has fewer than two rows, or they differ in width.
    """
    if min(len(a), len(b)) < 2 or a.shape[1:] != b.shape[1:]:
        raise ValueError(
            f"features are {tuple(a.shape)} and {tuple(b.shape)}; give two rows of one width or more of each"
        )
    x, y = (features.double().cpu().numpy() for features in (a, b))
    covariance_x, covariance_y = (np.cov(features, rowvar=False).reshape(a.shape[1], -1) for features in (x, y))
    root = _symmetric_root(covariance_x)
    # The eigenvalues of C_a C_b are those of the symmetric C_a^(1/2) C_b C_a^(1/2).
    shared = np.sqrt(np.linalg.eigvalsh(root @ covariance_y @ root).clip(min=0)).sum()
    spread = covariance_x.trace() + covariance_y.trace() - 2 * shared
    return max(0.0, float(((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum() + spread))


def _symmetric_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root of a positive semi-definite matrix; negative eigenvalues are rounding errors."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(values.clip(min=0)) @ vectors.T
