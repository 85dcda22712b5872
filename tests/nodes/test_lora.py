"""LoRAs as nodes: loaded as ComfyUI loads them, and trained on a few latents."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import Cancelled, FileProblem, InputProblem
from engine.ldm.weights import open_model
from engine.models.handles import Model
from engine.models.manager import ModelManager
from engine.node import NullContext
from engine.values import Conditioning, ConditioningPart, TrainingSet
from nodes.loaders import LoadCheckpoint, LoadedCheckpoint
from nodes.lora import LoraLoader, LoraLoaderModelOnly, TrainLoRA
from nodes.text import EncodeText
from tests.ldm.comfy import TINY, assert_relative, tensors
from tests.nodes.test_comfy import EXACT, Samplers, checkpoint
from tests.nodes.training import Stopping, assert_is_a_curve, losses

__all__ = ["checkpoint"]
LORA: dict[str, Any] = {"steps": 4, "batch_size": 2, "rank": 2, "alpha": 2.0, "sample_every": 0}


@pytest.fixture
def few() -> TrainingSet:
    """Four latents that are alike, each with a caption."""
    mean = torch.linspace(-1, 1, 4)[:, None, None].expand(4, 4, 8, 8) + 0.1 * torch.randn(4, 4, 8, 8)
    return TrainingSet(mean, torch.zeros_like(mean), (("a red apple",), ("blue",)) * 2, ("",) * 4)


def answer(ctx: NullContext, model: Model) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    x, context = torch.randn(1, 4, 8, 8, generator=draw), torch.randn(1, 8, 16, generator=draw)
    with torch.no_grad():
        return ctx.service(ModelManager).run(model, lambda network: network(x, torch.tensor([300.0]), context))


async def test_a_lora_makes_comfyuis_picture(checkpoint: Path, ctx: NullContext) -> None:
    reference = tensors("lora")
    (ctx.folders.models[0] / "loras").mkdir(parents=True)
    shutil.copy(TINY / "lora_input.safetensors", ctx.folders.models[0] / "loras" / "kohya.safetensors")
    model = LoraLoaderModelOnly(Model.open(checkpoint), "kohya.safetensors", ctx, 0.8)
    told = (Conditioning((ConditioningPart(reference[name]),)) for name in ("positive", "negative"))
    positive, negative = told
    samples = await Samplers(checkpoint, ctx)(
        model=model, positive=positive, negative=negative, sampler_name="euler", scheduler="normal"
    )
    assert_relative(samples, reference["euler/normal"], EXACT)


def test_what_was_trained_is_loaded_again_and_changes_the_model(
    ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet
) -> None:
    trained = TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=loaded.clip, name="new", train_text=True, **LORA)
    again = LoraLoader(loaded.model, loaded.clip, "new.safetensors", ctx)
    assert (trained.model, trained.clip) == tuple(again)
    assert not answer(ctx, trained.model).allclose(answer(ctx, loaded.model))
    said = [EncodeText("blue", clip, ctx).parts[0].context for clip in (loaded.clip, trained.clip)]
    assert said[0] is not None and said[1] is not None and not said[0].allclose(said[1])
    assert_is_a_curve(trained.loss_curve)
    file = open_model(ctx.folders.models[0] / "loras" / "new.safetensors")
    assert {key.split("_")[1] for key in file.header.tensors} == {"unet", "te"}
    assert file.metadata["ss_network_dim"] == "2"


def test_no_strength_is_the_model_itself(ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet) -> None:
    trained = TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=loaded.clip, **LORA)
    assert LoraLoader(loaded.model, loaded.clip, "lora.safetensors", ctx, 0.0, 1.0) == (loaded.model, loaded.clip)
    assert LoraLoaderModelOnly(loaded.model, "lora.safetensors", ctx) == trained.model
    assert trained.clip == loaded.clip, "it was not taught, so it is the same network"


def test_a_lora_lowers_the_loss_on_noise_that_it_never_saw(
    ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet
) -> None:
    told = EncodeText("a red apple", loaded.clip, ctx)
    many: dict[str, Any] = {
        **LORA,
        "steps": 120,
        "rank": 16,
        "alpha": 16.0,
        "learning_rate": 0.02,
        "targets": "everything",
    }
    trained = TrainLoRA(loaded.model, few, loaded.vae, ctx, positive=told, **many)

    def loss(model: Model) -> float:
        draw = torch.Generator().manual_seed(1)
        noise, t = torch.randn(4, 4, 8, 8, generator=draw), torch.tensor([100, 300, 500, 700])
        x = model.config.schedule().add_noise(few.mean * model.config.scale_factor, t, noise)
        context = told.parts[0].context
        assert context is not None
        with torch.no_grad():
            said = ctx.service(ModelManager).run(model, lambda unet: unet(x, t, context.expand(4, -1, -1)))
        return float((said - noise).square().mean())

    reached = losses(ctx, "lora/lora")["loss"]
    assert loss(trained.model) < 0.7 * loss(loaded.model)
    assert sum(reached[-10:]) < 0.7 * sum(reached[:10])


def test_a_stopped_lora_goes_on_with_the_same_losses(
    ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet
) -> None:
    TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=loaded.clip, name="whole", **LORA)
    with pytest.raises(Cancelled):
        TrainLoRA(loaded.model, few, loaded.vae, Stopping(ctx, 2), clip=loaded.clip, **LORA)
    TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=loaded.clip, **LORA)
    assert losses(ctx, "lora/lora") == losses(ctx, "whole/lora")
    one, other = (open_model(ctx.folders.models[0] / f"loras/{name}.safetensors") for name in ("whole", "lora"))
    assert all(one.tensor(key).equal(other.tensor(key)) for key in one.header.tensors)


def test_sheets_of_samples_are_saved_on_the_way(ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet) -> None:
    every_fourth: dict[str, Any] = {**LORA, "sample_every": 4}
    TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=loaded.clip, **every_fourth)
    (sheet,) = (ctx.folders.output / "training" / "lora").glob("*.png")
    assert sheet.name == "step 4_00001_.png"


def test_a_lora_of_another_model_says_so_when_it_is_used(
    ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet
) -> None:
    TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=loaded.clip, **LORA)
    other = LoraLoaderModelOnly(LoadCheckpoint("wider.safetensors", ctx).model, "lora.safetensors", ctx)
    with pytest.raises(FileProblem, match=r"lora\.safetensors was trained on another U-Net"):
        answer(ctx, other)


def test_what_does_not_belong_together_says_so(ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet) -> None:
    wider = LoadCheckpoint("wider.safetensors", ctx)
    with pytest.raises(InputProblem, match="words are 24 wide, this model reads 16"):
        TrainLoRA(loaded.model, few, loaded.vae, ctx, clip=wider.clip, **LORA)
    with pytest.raises(InputProblem, match="connect its text encoder to clip"):
        TrainLoRA(loaded.model, few, loaded.vae, ctx, **LORA)
    with pytest.raises(InputProblem, match="no text encoder to teach"):
        TrainLoRA(loaded.model, few, loaded.vae, ctx, positive=EncodeText("", loaded.clip, ctx), train_text=True)
    with pytest.raises(InputProblem, match="the latents have 2 channels"):
        TrainLoRA(loaded.model, replace(few, mean=few.mean[:, :2]), loaded.vae, ctx, clip=loaded.clip, **LORA)
    assert not ctx.folders.output.exists()
