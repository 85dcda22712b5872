"""Sigma lists against ComfyUI's and against what their formulas promise."""

from __future__ import annotations

import math

import pytest
import torch

from engine.errors import InputProblem
from engine.ldm.sampling.sigmas import SCHEDULERS, beta_quantile, ldm_sigmas, sampler_sigmas
from tests.ldm import comfy
from tests.ldm.comfy import SD_SCHEDULE


def assert_same_sigmas(actual: list[float], expected: torch.Tensor) -> None:
    # ComfyUI computes them in float32, where the tangents and exponentials lose a few units in the last place
    torch.testing.assert_close(torch.tensor(actual), expected, rtol=2e-5, atol=2e-6)


def test_the_table_is_comfyuis() -> None:
    assert_same_sigmas(list(SD_SCHEDULE.sigmas), comfy.tensors("sigmas")["model/sigmas"])
    assert_same_sigmas(list(SD_SCHEDULE.log_sigmas), comfy.tensors("sigmas")["model/log_sigmas"])


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 20, 50])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_schedulers_give_comfyuis_sigmas(scheduler: str, steps: int) -> None:
    expected = comfy.tensors("sigmas")[f"{scheduler}/{steps}"]
    if expected.isnan().any():
        pytest.skip("ComfyUI divides 0 by 0 here")
    assert_same_sigmas(SCHEDULERS[scheduler](SD_SCHEDULE, steps), expected)


@pytest.mark.parametrize("denoise", [0.3, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("sampler", ["euler", "dpm_2"])
def test_denoising_less_takes_the_tail_that_comfyui_takes(sampler: str, scheduler: str, denoise: float) -> None:
    expected = comfy.tensors("sigmas")[f"ksampler/{sampler}/{scheduler}/8/denoise{denoise}"]
    assert_same_sigmas(sampler_sigmas(SD_SCHEDULE, scheduler, 8, denoise, sampler), expected)


def is_falling(sigmas: list[float]) -> bool:
    return all(math.isfinite(sigma) and sigma >= 0 for sigma in sigmas) and sigmas == sorted(sigmas, reverse=True)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_count_of_steps_gives_a_falling_list(scheduler: str) -> None:
    for steps in [*range(1, 60), 300, 333, 999, 1000]:
        sigmas = SCHEDULERS[scheduler](SD_SCHEDULE, steps)
        assert is_falling(sigmas) and sigmas[-1] == 0 and sigmas[0] > 0


def test_sigma_and_time_agree_with_comfyui() -> None:
    reference = comfy.tensors("sigma_timestep")
    assert [SD_SCHEDULE.timestep(float(s)) for s in reference["sigma"]] == reference["timestep"].tolist()
    assert_same_sigmas([SD_SCHEDULE.sigma(float(t)) for t in reference["ts_in"]], reference["sigma_of_ts"])


def test_ldms_grid_ends_at_the_first_sigma_of_the_table() -> None:
    sigmas = ldm_sigmas(SD_SCHEDULE, 45)
    assert len(sigmas) == 46 + 1
    assert sigmas[-1] == SD_SCHEDULE.sigma_min
    for steps in (300, 333, 999, 1000):
        assert is_falling(ldm_sigmas(SD_SCHEDULE, steps))
        assert len(ldm_sigmas(SD_SCHEDULE, steps, "exact")) == steps + 1


def test_the_quantiles_of_the_arcsine_distribution_are_known() -> None:
    """Beta(1/2, 1/2) has the quantile function sin^2(pi q / 2)."""
    for q in (0.0, 0.001, 0.1, 0.25, 0.5, 0.8, 0.999, 1.0):
        assert beta_quantile(q, 0.5) == pytest.approx(math.sin(math.pi * q / 2) ** 2, abs=1e-10)


def test_nothing_is_left_to_do_without_denoising() -> None:
    assert sampler_sigmas(SD_SCHEDULE, "normal", 20, denoise=0.0) == []


@pytest.mark.parametrize(
    ("scheduler", "steps", "denoise", "input"),
    [("fast", 8, 1.0, "scheduler"), ("normal", 0, 1.0, "steps"), ("normal", 8, math.nan, "denoise")],
)
def test_a_bad_request_names_its_input(scheduler: str, steps: int, denoise: float, input: str) -> None:
    with pytest.raises(InputProblem) as caught:
        sampler_sigmas(SD_SCHEDULE, scheduler, steps, denoise)
    assert caught.value.input == input
