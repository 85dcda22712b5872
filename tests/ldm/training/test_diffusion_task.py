"""What the second stage's task trains, and in what precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.ldm.condition import Condition
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.text.tokenizer import BertTokenizer
from engine.ldm.training.conditions import CaptionConditions, FixedCondition
from engine.ldm.training.diffusion_task import DiffusionTask
from engine.ldm.training.objective import DiffusionObjective
from tests.nodes import tiny


@pytest.fixture
def model() -> LatentDiffusion:
    torch.manual_seed(0)
    model = LatentDiffusion(tiny.config(), BertTokenizer(tiny.VOCABULARY, tiny.TOKENS))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.1)
    return model


def task(model: LatentDiffusion, **changes: Any) -> DiffusionTask:
    mean = torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    conditions = CaptionConditions(model.cond_stage_model, [("a red apple",)] * 4)  # type: ignore[arg-type]
    objective = DiffusionObjective.of(model.config)
    return DiffusionTask(model.model, conditions, mean, torch.zeros_like(mean), 1.0, objective, **changes)


def loss(task: DiffusionTask) -> Tensor:
    return task.loss(torch.arange(4), torch.Generator().manual_seed(0))["loss"]


def test_mixed_precision_changes_nothing_on_the_cpu(model: LatentDiffusion) -> None:
    assert loss(task(model, mixed_precision=True)).equal(loss(task(model)))


@pytest.mark.gpu
def test_mixed_precision_on_a_gpu_keeps_loss_and_gradients_in_float32(model: LatentDiffusion) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    exact, mixed = (loss(task(model.cuda(), mixed_precision=each)) for each in (False, True))
    assert mixed.dtype == torch.float32 and not mixed.equal(exact)
    torch.testing.assert_close(mixed, exact, rtol=0.02, atol=0.02)
    mixed.backward()
    assert all(each.grad is None or each.grad.dtype == torch.float32 for each in model.parameters())


def test_variances_are_learned_with_the_network(model: LatentDiffusion) -> None:
    logvar = nn.Parameter(torch.zeros(model.config.timesteps))
    learning = task(model, logvar=logvar)
    loss(learning).backward()
    assert logvar.grad is not None and 1 <= int((logvar.grad != 0).sum()) <= 4
    assert any(parameter is logvar for parameter in learning.module.parameters())
    assert "logvar" not in task(model).module.state_dict()


def test_what_is_told_follows_the_network_to_its_device(model: LatentDiffusion) -> None:
    """On "meta", which has no data but is a device of its own."""
    told = FixedCondition(Condition(context=torch.zeros(1, tiny.TOKENS, tiny.WIDTH)))
    moved = DiffusionTask(
        model.model.to("meta"), told, torch.zeros(4, 4, 8, 8), torch.zeros(4, 4, 8, 8), 1.0, task(model).objective
    )
    assert loss(moved).device.type == "meta"


def test_of_a_part_alone_everything_else_is_left_out(model: LatentDiffusion) -> None:
    part = model.unet.out
    assert list(task(model, part=part).module.parameters()) == list(part.parameters())
