"""The second stage's objective: targets, norms, weights. The original's values are in test_latent_diffusion.py."""

import pytest
import torch

from engine.ldm.schedules import NoiseSchedule
from engine.ldm.training.objective import DiffusionObjective, scale_from_std

SCHEDULE = NoiseSchedule.named("linear", 1000, 0.0015, 0.0195)


def batch():
    draw = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 3, 2, 4, 4, generator=draw)
    return x0, torch.tensor([0, 500, 999]), noise


def parts(t):
    """sqrt(abar) and sqrt(1 - abar) of each row."""
    abar = SCHEDULE.alphas_cumprod[t].float().reshape(-1, 1, 1, 1)
    return abar.sqrt(), (1 - abar).sqrt()


@pytest.mark.parametrize("parameterization", ["eps", "x0", "v"])
def test_a_perfect_prediction_costs_nothing(parameterization):
    x0, t, noise = batch()
    objective = DiffusionObjective(SCHEDULE, parameterization, original_elbo_weight=1.0)
    losses = objective.losses(objective.target(x0, t, noise), x0, t, noise)
    assert losses.total == losses.simple == losses.vlb == 0


def test_v_gives_both_the_latent_and_the_noise_back():
    x0, t, noise = batch()
    signal, spread = parts(t)
    x_t = SCHEDULE.add_noise(x0, t, noise)
    v = DiffusionObjective(SCHEDULE, "v").target(x0, t, noise)
    assert torch.allclose(signal * x_t - spread * v, x0, atol=1e-5)
    assert torch.allclose(spread * x_t + signal * v, noise, atol=1e-5)


def test_norms_are_means_over_each_picture():
    x0, t, noise = batch()
    prediction = noise + 2.0
    assert DiffusionObjective(SCHEDULE, loss_type="l1").losses(prediction, x0, t, noise).total.item() == pytest.approx(
        2
    )
    assert DiffusionObjective(SCHEDULE, loss_type="l2").losses(prediction, x0, t, noise).total.item() == pytest.approx(
        4
    )


def test_learned_variances_weigh_each_timestep_and_receive_gradients():
    x0, t, noise = batch()
    logvar = torch.full((1000,), 0.5, requires_grad=True)
    losses = DiffusionObjective(SCHEDULE).losses(noise + 1, x0, t, noise, logvar)
    assert losses.gamma.item() == pytest.approx(torch.tensor(-0.5).exp().item() + 0.5)
    losses.total.backward()
    assert logvar.grad is not None
    assert logvar.grad.nonzero().flatten().tolist() == t.tolist()


def test_the_variational_weights_are_finite_for_every_parameterization():
    for parameterization in ("eps", "x0", "v"):
        weights = DiffusionObjective(SCHEDULE, parameterization).vlb_weights
        assert weights.shape == (1000,)
        assert weights.isfinite().all()


def test_a_step_draws_the_same_noise_from_the_same_seed():
    x0, _, _ = batch()
    objective = DiffusionObjective(SCHEDULE)
    seen = []

    def predict(x_t, t):
        seen.append((x_t, t))
        return torch.zeros_like(x_t)

    first, again, other = (objective.step(predict, x0, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.total == again.total != other.total
    assert torch.equal(seen[0][0], seen[1][0])
    # E |eps|^2 = 1 for a network that predicts nothing.
    assert 0.5 < first.total < 1.5


def test_the_scale_factor_gives_latents_unit_deviation():
    latents = 5 * torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert (latents * scale_from_std(latents)).std().item() == pytest.approx(1)
