import pytest
import torch
from torch import nn

from engine.ldm.training.ema import EMA, ema_names
from engine.ldm.training.lr import CosineCycles, LinearCycles, WarmUpCosine
from tests.ldm import fixtures


def small_model(tensors: fixtures.Tensors, step: int) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    prefix = f"step{step}.model."
    model.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    return model


def test_averages_follow_the_reference_for_twelve_updates():
    io = fixtures.io("ema_and_lr")
    model = small_model(io, 0)
    ema = EMA(model)
    for step in range(1, 13):
        with torch.no_grad():
            for index, parameter in enumerate(model.parameters()):
                noise = torch.randn(parameter.shape, generator=fixtures.generator(1000 * step + index))
                parameter.add_(0.1 * noise)
        ema.update(model)
        if step in (1, 2, 12):
            prefix = f"step{step}.ema."
            expected = {k.removeprefix(prefix): v for k, v in io.items() if k.startswith(prefix)}
            state = ema.state_dict()
            assert state.keys() == expected.keys()
            for key, value in expected.items():
                assert state[key].dtype == value.dtype
                fixtures.assert_close(state[key], value, 1e-6)


def test_averages_are_lent_and_given_back():
    model = nn.Linear(2, 2)
    ema = EMA(model)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    trained = model.weight.detach().clone()
    with pytest.raises(RuntimeError, match="in between"), ema.applied(model):
        assert torch.equal(model.weight, start)
        raise RuntimeError("in between")
    assert torch.equal(model.weight, trained)


def test_frozen_parameters_are_not_averaged():
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    assert set(EMA(model).state_dict()) == {"decay", "num_updates", "weight"}


def test_names_that_collide_without_dots_are_an_error():
    assert ema_names({"a.b.weight": 0}) == {"a.b.weight": "abweight"}
    with pytest.raises(ValueError, match=r"'a\.b1' and 'a\.b\.1'"):
        ema_names({"a.b1": 0, "a.b.1": 0})


def test_schedules_follow_the_reference():
    io = fixtures.io("ema_and_lr")
    inpainting = WarmUpCosine(warm_up_steps=1000, lr_min=1e-4, lr_max=0.1, lr_start=1e-3, max_decay_steps=50000)
    churches = LinearCycles([10000], f_min=[1.0], f_max=[1.0], f_start=[1e-6], cycle_lengths=[10**13])
    cycles = CosineCycles([10, 5], f_min=[0.1, 0.05], f_max=[1.0, 0.5], f_start=[0.0, 0.0], cycle_lengths=[100, 50])
    for steps, name, schedule in (
        ("lr.n", "lr.warmup_cosine_inpainting", inpainting),
        ("lr.n", "lr.linear_churches", churches),
        ("lr.n2", "lr.cosine2", cycles),
    ):
        assert [schedule(step) for step in io[steps].tolist()] == pytest.approx(io[name].tolist(), rel=1e-9), name


def test_a_schedule_stays_at_its_end_after_the_last_cycle():
    cycles = CosineCycles([0], f_min=[0.1], f_max=[1.0], f_start=[0.0], cycle_lengths=[10])
    assert cycles(10) == cycles(1000) == pytest.approx(0.1)
    lines = LinearCycles([0], f_min=[0.1], f_max=[1.0], f_start=[0.0], cycle_lengths=[10])
    assert lines(10) == lines(1000) == pytest.approx(0.1)


def test_cycles_need_one_value_each():
    with pytest.raises(ValueError, match="one value for each cycle"):
        CosineCycles([0], f_min=[0.1, 0.2], f_max=[1.0], f_start=[0.0], cycle_lengths=[10])
