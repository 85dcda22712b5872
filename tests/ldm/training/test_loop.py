"""The training loop: exact resume, errors, and that it learns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.errors import Cancelled, FileProblem
from engine.ldm.training.loop import FitSettings, StepReport, batch_indices, fit
from engine.ldm.weights import open_model, save_model

SETTINGS = FitSettings(steps=12, batch_size=4, learning_rate=1e-2, seed=3, warm_up=2, ema_decay=0.9)


class NoisyRegression:
    """Learn y = 2x from noisy rows: small, real, and random in every step."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = nn.Linear(1, 1)
        self.x = torch.linspace(-1, 1, 10)[:, None]

    @property
    def rows(self) -> int:
        return len(self.x)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        x = self.x[indices]
        noise = torch.randn(x.shape, generator=draw) * 0.1
        return {"loss": (self.module(x) - 2 * x - noise).square().mean()}


def stop_after(step: int):
    def listen(report: StepReport) -> None:
        if report.step == step:
            raise Cancelled("stopped")

    return listen


def test_a_run_that_was_stopped_and_resumed_has_the_losses_and_weights_of_one_that_was_not(tmp_path: Path):
    whole = NoisyRegression()
    ema, history = fit(whole, SETTINGS)

    file = tmp_path / "state.safetensors"
    with pytest.raises(Cancelled):
        fit(NoisyRegression(), SETTINGS, file, stop_after(5))
    resumed = NoisyRegression()
    resumed_ema, resumed_history = fit(resumed, SETTINGS, file)

    assert resumed_history.losses == history.losses
    assert torch.equal(resumed.module.weight, whole.module.weight)
    assert torch.equal(resumed_ema.average("weight"), ema.average("weight"))


def test_a_finished_run_is_not_trained_again(tmp_path: Path):
    file = tmp_path / "state.safetensors"
    fit(NoisyRegression(), SETTINGS, file)
    reports: list[StepReport] = []
    _, history = fit(NoisyRegression(), SETTINGS, file, reports.append)
    assert reports == []
    assert history.step == SETTINGS.steps


def test_the_loss_falls():
    _, history = fit(NoisyRegression(), replace(SETTINGS, steps=300, learning_rate=5e-2))
    losses = history.losses["loss"]
    assert sum(losses[-20:]) < 0.2 * sum(losses[:20])


def test_every_row_comes_once_an_epoch_and_epochs_differ_in_order():
    steps = [batch_indices(8, 4, 0, step) for step in range(4)]
    first, second = torch.cat(steps[:2]), torch.cat(steps[2:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(8))
    assert first.tolist() != second.tolist()


def test_a_batch_may_be_larger_than_the_data_set():
    assert len(batch_indices(3, 10, 0, 0)) == 10


def test_a_state_of_another_network_is_refused_by_name(tmp_path: Path):
    file = tmp_path / "state.safetensors"
    fit(NoisyRegression(), SETTINGS, file)
    other = NoisyRegression()
    other.module = nn.Linear(1, 2)
    with pytest.raises(FileProblem, match="another network"):
        fit(other, SETTINGS, file)


def test_a_state_trained_with_other_batches_is_refused(tmp_path: Path):
    file = tmp_path / "state.safetensors"
    fit(NoisyRegression(), SETTINGS, file)
    with pytest.raises(FileProblem, match="batch_size"):
        fit(NoisyRegression(), replace(SETTINGS, batch_size=2), file)


def test_a_loss_that_is_not_finite_stops_with_advice():
    task = NoisyRegression()
    task.x = task.x * float("inf")
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        fit(task, SETTINGS)


def test_the_rate_rises_then_falls_to_its_last_share():
    settings = FitSettings(steps=100, batch_size=1, learning_rate=1.0, warm_up=10, final_rate=0.1)
    assert settings.rate(0) == pytest.approx(0.1, rel=1e-6)
    assert settings.rate(10) > settings.rate(50) > settings.rate(100)
    assert settings.rate(100) == pytest.approx(0.1)


def test_the_rate_may_fall_in_a_line_or_not_at_all():
    settings = FitSettings(steps=100, batch_size=1, learning_rate=1.0, warm_up=10, final_rate=0.2, schedule="linear")
    assert [settings.rate(step) for step in (0, 50, 100)] == pytest.approx([0.1, 0.6, 0.2])
    constant = replace(settings, schedule="constant")
    assert [constant.rate(step) for step in (4, 50, 100)] == pytest.approx([0.5, 1.0, 1.0])


class Mean(NoisyRegression):
    """Without noise, so that only the rows of a step matter."""

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        return {"loss": (self.module(self.x[indices]) - 2 * self.x[indices]).square().mean()}


def test_two_accumulated_batches_step_as_one_of_both():
    whole, halves = Mean(), Mean()
    _, history = fit(whole, replace(SETTINGS, clip=1e9))
    _, accumulated = fit(halves, replace(SETTINGS, clip=1e9, batch_size=2, accumulate=2))
    torch.testing.assert_close(halves.module.weight, whole.module.weight)
    assert accumulated.losses["loss"] == pytest.approx(history.losses["loss"], rel=1e-5)
    assert accumulated.step == SETTINGS.steps


def test_a_state_of_before_there_was_accumulation_is_resumed(tmp_path: Path):
    file = tmp_path / "state.safetensors"
    whole = NoisyRegression()
    fit(whole, SETTINGS)
    with pytest.raises(Cancelled):
        fit(NoisyRegression(), SETTINGS, file, stop_after(5))
    saved = open_model(file)
    state = json.loads(saved.metadata["darkroom.training"])
    settings, history = json.loads(state["settings"]), json.loads(state["history"])
    del settings["accumulate"], settings["schedule"], history["measures"]
    old = json.dumps({"settings": json.dumps(settings), "history": json.dumps(history)})
    save_model(file, {name: value.clone() for name, value in saved.tensors().items()}, {"darkroom.training": old})
    resumed = NoisyRegression()
    fit(resumed, SETTINGS, file)
    assert torch.equal(resumed.module.weight, whole.module.weight)


def test_a_state_of_other_accumulation_is_refused(tmp_path: Path):
    file = tmp_path / "state.safetensors"
    fit(NoisyRegression(), SETTINGS, file)
    with pytest.raises(FileProblem, match="accumulate"):
        fit(NoisyRegression(), replace(SETTINGS, accumulate=2), file)


class Contest(NoisyRegression):
    """The module hides a number from a judge who learns to find it; the judge enters at step 3."""

    measures = ("begun",)

    def __init__(self) -> None:
        super().__init__()
        self.adversary = nn.Linear(1, 1)
        self.step = -1

    def begin(self, step: int, draw: torch.Generator) -> None:
        self.step, self.drawn = step, torch.rand((), generator=draw)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        made = self.module(self.x[indices] + self.drawn)
        terms = {"loss": made.square().mean() - self.adversary(made).mean(), "begun": torch.tensor(float(self.step))}
        return (
            terms if self.step < 3 else terms | {"adversary_loss": (self.adversary(made.detach()) - 1).square().mean()}
        )


def test_an_adversary_learns_from_its_own_loss_alone_and_is_resumed_exactly(tmp_path: Path):
    whole = Contest()
    before = whole.adversary.weight.detach().clone()
    fit(whole, replace(SETTINGS, steps=3))
    assert torch.equal(whole.adversary.weight, before)

    whole = Contest()
    _, history = fit(whole, SETTINGS)
    assert not torch.equal(whole.adversary.weight, before)
    assert history.measures["begun"] == list(range(12)) and "begun" not in history.losses

    for stop in (2, 7):
        file = tmp_path / f"{stop}.safetensors"
        with pytest.raises(Cancelled):
            fit(Contest(), SETTINGS, file, stop_after(stop))
        resumed = Contest()
        _, again = fit(resumed, SETTINGS, file)
        assert again.losses == history.losses and again.measures == history.measures
        assert torch.equal(resumed.adversary.weight, whole.adversary.weight)
        assert torch.equal(resumed.module.weight, whole.module.weight)


def test_an_adversary_may_enter_a_training_that_had_none(tmp_path: Path):
    file = tmp_path / "state.safetensors"
    fit(NoisyRegression(), replace(SETTINGS, steps=5), file)
    _, history = fit(Contest(), SETTINGS, file)
    assert history.step == 12 and len(history.losses["adversary_loss"]) == 7
