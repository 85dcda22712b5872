"""The Frechet distance, against its closed form."""

from __future__ import annotations

import pytest
import torch

from engine.ldm.training.frechet import frechet_distance


def draw(seed: int, count: int = 4000) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed))


def test_a_set_lies_at_no_distance_from_itself() -> None:
    assert frechet_distance(draw(0), draw(0)) == pytest.approx(0, abs=1e-9)


def test_a_shift_and_a_spread_add_up_as_the_formula_says() -> None:
    # Diagonal covariances: |difference of means|^2 + sum of (difference of deviations)^2, for one draw exactly.
    a = draw(0)
    a = (a - a.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(a.T))).T  # unit covariance, to rounding
    b = a * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([0.0, 3.0, 0.0])
    assert frechet_distance(a, b) == pytest.approx(9 + 1 + 0.25, rel=1e-4)
    assert frechet_distance(b, a) == pytest.approx(9 + 1 + 0.25, rel=1e-4)


def test_correlations_count_where_means_and_variances_agree() -> None:
    a = draw(0)
    b = a.clone()
    b[:, 1] = a[:, 0] * 0.9 + a[:, 1] * (1 - 0.81) ** 0.5
    # For unit variances and a correlation r in one pair: tr = 4 - 2 (sqrt(1 + r) + sqrt(1 - r)).
    expected = 4 - 2 * (1.9**0.5 + 0.1**0.5)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=0.1)


def test_fewer_rows_than_features_still_give_a_number() -> None:
    wide = torch.randn(8, 32, generator=torch.Generator().manual_seed(1))
    assert frechet_distance(wide, wide + 1) == pytest.approx(32, rel=1e-6)


@pytest.mark.parametrize("other", [torch.zeros(1, 3), torch.zeros(5, 4)])
def test_sets_that_cannot_be_compared_are_refused(other: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="one width"):
        frechet_distance(draw(0), other)
