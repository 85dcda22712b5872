"""Schedules against the tables of the original and against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from engine.errors import InputProblem
from engine.ldm.schedules import GridName, NoiseSchedule, beta_schedule, ddim_timesteps
from tests.ldm import fixtures

ZOO = ["0.0015_0.0195", "0.0015_0.0155", "0.0015_0.0205", "0.00085_0.012", "0.0015_0.015", "0.0001_0.02"]
TABLES = ["posterior_variance", "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2"]


def named(ends: str) -> NoiseSchedule:
    start, end = (float(number) for number in ends.split("_"))
    return NoiseSchedule.named("linear", 1000, start, end)


@pytest.mark.parametrize("ends", ZOO)
def test_the_schedules_of_the_zoo_have_the_original_tables(ends: str) -> None:
    reference = {
        name.removeprefix(f"linear_{ends}."): table
        for name, table in fixtures.io("schedules").items()
        if name.startswith(f"linear_{ends}.")
    }
    schedule = named(ends)
    buffers = schedule.buffers()
    for name in reference.keys() & buffers.keys():
        torch.testing.assert_close(buffers[name], reference[name], rtol=1e-6, atol=1e-8)
    if "lvlb_weights" in reference:
        torch.testing.assert_close(schedule.lvlb_weights().float(), reference["lvlb_weights"], rtol=1e-5, atol=0)
    if "x0.lvlb_weights" in reference:
        torch.testing.assert_close(schedule.lvlb_weights("x0").float(), reference["x0.lvlb_weights"], rtol=1e-5, atol=0)
    if "v0.3.posterior_variance" in reference:
        wider = NoiseSchedule(schedule.betas, v_posterior=0.3)
        torch.testing.assert_close(
            wider.posterior_variance.float(), reference["v0.3.posterior_variance"], rtol=1e-6, atol=1e-8
        )
    assert {"betas", "alphas_cumprod"} <= reference.keys()


@pytest.mark.parametrize("name", ["cosine", "sqrt_linear", "sqrt"])
def test_the_other_beta_schedules_agree_with_the_original(name: str) -> None:
    reference = fixtures.io("schedules")[f"{name}_1e-4_2e-2.betas64"]
    torch.testing.assert_close(beta_schedule(name, 1000, 1e-4, 2e-2), reference, rtol=1e-12, atol=1e-15)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [5, 10, 15, 20, 25, 30, 45, 50])
@pytest.mark.parametrize("grid", ["uniform", "quad"])
def test_ddim_visits_the_steps_of_the_original(steps: int, grid: GridName) -> None:
    reference = fixtures.io("schedules")[f"ddim.{grid}.{steps}.timesteps"]
    assert ddim_timesteps(steps, 1000, grid) == reference.tolist()


def test_long_grids_agree_with_the_original_up_to_the_step_it_runs_off_its_table() -> None:
    for key, facts in fixtures.config("schedules")["ddim_timesteps"].items():
        grid, steps = key.split("_")
        chosen = ddim_timesteps(int(steps), 1000, grid)
        beyond = [t for t in facts["last"] if t >= 1000]
        assert len(chosen) == facts["n"] - len(beyond)
        assert chosen[:3] == facts["first"]


@pytest.mark.parametrize("steps", [1, 7, 300, 333, 400, 999, 1000])
def test_the_exact_grid_has_as_many_steps_as_asked(steps: int) -> None:
    chosen = ddim_timesteps(steps, 1000, "exact")
    assert len(chosen) == steps
    assert chosen == sorted(set(chosen))
    assert chosen[0] >= 0 and chosen[-1] <= 999


@pytest.mark.parametrize("steps", [0, 1001])
def test_a_count_of_steps_the_model_does_not_have_is_refused(steps: int) -> None:
    with pytest.raises(InputProblem, match=f"{steps} steps asked"):
        ddim_timesteps(steps)


@pytest.mark.parametrize("steps", [10, 45, 50])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddims_sigmas_are_the_ancestral_step_in_another_space(steps: int, eta: float) -> None:
    """DDIM eq. 16 times 1/sqrt(abar_prev) is what the sigma-space samplers add at each step."""
    from engine.ldm.sampling.ancestral import ancestral_step

    reference = fixtures.io("schedules")
    schedule = named("0.0015_0.0195")
    chosen = ddim_timesteps(steps)
    for i, t in enumerate(chosen):
        alpha_prev = float(reference[f"ddim.uniform.{steps}.alphas_prev"][i])
        here, there = schedule.sigmas[t], schedule.sigmas[chosen[i - 1] if i else 0]
        assert schedule.alphas_cumprod[t].item() == pytest.approx(
            float(reference[f"ddim.uniform.{steps}.alphas"][i]), rel=1e-6
        )
        _, added = ancestral_step(here, there, eta)
        assert added * math.sqrt(alpha_prev) == pytest.approx(
            float(reference[f"ddim.uniform.{steps}.eta{eta}.sigmas"][i]), rel=2e-4, abs=1e-6
        )


def test_time_and_sigma_are_inverse() -> None:
    schedule = named("0.00085_0.012")
    for t in range(1000):
        assert schedule.timestep(schedule.sigmas[t]) == t
    for t in range(999):
        assert schedule.timestep(schedule.sigma(t + 0.5)) == t + 1
        assert schedule.timestep(schedule.sigma(t + 0.499)) == t
    assert schedule.timestep(0.0) == 0
    assert schedule.timestep(1e6) == 999
    assert schedule.sigma(-3) == pytest.approx(schedule.sigma_min)
    assert schedule.sigma(2000) == pytest.approx(schedule.sigma_max)


def test_the_posterior_of_a_clean_start_is_what_bayes_gives() -> None:
    """q(x_{t-1} | x_t, x0) is proportional to q(x_t | x_{t-1}) q(x_{t-1} | x0): precisions add."""
    schedule = NoiseSchedule.named("sqrt_linear", 20, 0.001, 0.4)
    t = torch.tensor([1, 7, 19])
    x0, x_t = torch.tensor([0.3, -1.0, 2.0]).double(), torch.tensor([0.1, 0.7, -0.4]).double()
    mean, log_variance = schedule.posterior(x0, x_t, t)
    beta, abar_prev = schedule.betas[t], schedule.alphas_cumprod_prev[t]
    precision = (1 - beta) / beta + 1 / (1 - abar_prev)
    expected = ((1 - beta).sqrt() / beta * x_t + abar_prev.sqrt() / (1 - abar_prev) * x0) / precision
    torch.testing.assert_close(mean, expected)
    torch.testing.assert_close(log_variance.exp(), 1 / precision)


def test_noising_keeps_the_variance() -> None:
    schedule = named("0.00085_0.012")
    generator = fixtures.generator(0)
    x0, noise = torch.randn(4, 20_000, generator=generator), torch.randn(4, 20_000, generator=generator)
    noised = schedule.add_noise(x0, torch.tensor([0, 300, 700, 999]), noise)
    # standard error of a variance over 20,000 draws is 1 %
    assert noised.var(dim=1).sub(1).abs().max() < 0.04
    torch.testing.assert_close(noised[0], x0[0], rtol=0, atol=0.2)
