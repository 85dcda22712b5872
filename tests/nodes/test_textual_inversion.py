"""A word is learned, written to a file, and read in prompts."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.errors import Cancelled, InputProblem, NoSuchFile, WorkflowError
from engine.graph.document import loads
from engine.ldm.weights import open_model, save_model
from engine.node import NullContext
from engine.values import TrainingSet
from nodes.loaders import LoadedCheckpoint
from nodes.text import EncodeText
from nodes.textual_inversion import TrainTextualInversion
from server import open_darkroom
from tests.nodes import tiny
from tests.nodes.training import Stopping, assert_is_a_curve, losses

WORD: dict[str, Any] = {"steps": 4, "batch_size": 2, "sample_every": 0, "initial_word": "apple"}


@pytest.fixture
def few() -> TrainingSet:
    draw = torch.Generator().manual_seed(0)
    mean = torch.linspace(-1, 1, 4)[:, None, None].expand(4, 4, 8, 8) + 0.1 * torch.randn(4, 4, 8, 8, generator=draw)
    return TrainingSet(mean, torch.zeros_like(mean), (("a red apple",), ("blue",)) * 2, ("",) * 4)


def context(ctx: NullContext, loaded: LoadedCheckpoint, text: str) -> Tensor:
    said = EncodeText(text, loaded.clip, ctx).parts[0].context
    assert said is not None
    return said


def test_a_word_is_learned_and_read_in_a_prompt(ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet) -> None:
    trained = TrainTextualInversion(loaded.model, loaded.clip, few, loaded.vae, ctx, **WORD)
    assert trained.word == "embedding:my-word"
    assert_is_a_curve(trained.loss_curve)
    path = ctx.folders.models[0] / "embeddings" / "my-word.safetensors"
    assert open_model(path).tensor("emb_params").shape == (2, tiny.WIDTH)
    said = context(ctx, loaded, f"a {trained.word}, blue")
    assert said.shape == (1, tiny.TOKENS, tiny.WIDTH)
    assert not said.allclose(context(ctx, loaded, "a apple apple, blue")), "it has learned since it began"
    assert said.equal(context(ctx, loaded, "a embedding:my-word.safetensors, blue"))


def test_a_stopped_word_goes_on_with_the_same_losses(
    ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet
) -> None:
    TrainTextualInversion(loaded.model, loaded.clip, few, loaded.vae, ctx, name="whole", **WORD)
    with pytest.raises(Cancelled):
        TrainTextualInversion(loaded.model, loaded.clip, few, loaded.vae, Stopping(ctx, 2), **WORD)
    TrainTextualInversion(loaded.model, loaded.clip, few, loaded.vae, ctx, **WORD)
    assert losses(ctx, "my-word/word") == losses(ctx, "whole/word")
    one, other = (open_model(ctx.folders.models[0] / f"embeddings/{name}.safetensors") for name in ("whole", "my-word"))
    assert one.tensor("emb_params").equal(other.tensor("emb_params"))


def test_sheets_of_samples_are_saved_on_the_way(ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet) -> None:
    often: dict[str, Any] = {**WORD, "sample_every": 4, "prompts": "{caption}, {word}\n\n{word}"}
    TrainTextualInversion(loaded.model, loaded.clip, few, loaded.vae, ctx, **often)
    (sheet,) = (ctx.folders.output / "training" / "my-word").glob("*.png")
    assert sheet.name == "step 4_00001_.png"


@pytest.mark.parametrize(
    ("input", "value", "words"),
    [
        ("name", "my word", "no blanks"),
        ("name", "word.", "no blanks or points"),
        ("prompts", "a picture", "mention {word}"),
        ("prompts", " \n", "mention {word}"),
    ],
)
def test_a_word_that_cannot_be_asked_for_says_so(
    ctx: NullContext, loaded: LoadedCheckpoint, few: TrainingSet, input: str, value: str, words: str
) -> None:
    changed: dict[str, Any] = {**WORD, input: value}
    with pytest.raises(InputProblem, match=words) as it:
        TrainTextualInversion(loaded.model, loaded.clip, few, loaded.vae, ctx, **changed)
    assert it.value.input == input


def test_a_word_that_nobody_learned_is_missed_by_name(ctx: NullContext, loaded: LoadedCheckpoint) -> None:
    with pytest.raises(NoSuchFile, match=r"mentions embedding:nobody\. embeddings: there is no 'nobody"):
        EncodeText("a embedding:nobody", loaded.clip, ctx)


def workflow(text: object) -> str:
    return json.dumps(
        {
            "darkroom": 1,
            "nodes": {
                "model": {"type": "LoadCheckpoint", "inputs": {"ckpt_name": "tiny.safetensors"}},
                "prompt": {"type": "EncodeText", "inputs": {"text": text, "clip": {"from": "model.clip"}}},
            },
        }
    )


def test_another_file_of_the_word_is_another_result(ctx: NullContext) -> None:
    place = ctx.folders.models[0] / "embeddings" / "x.safetensors"
    with open_darkroom(ctx.folders, "cpu") as darkroom:

        def key(text: str) -> str:
            graph = darkroom.engine.build(loads(workflow(text)), ["prompt"])
            return darkroom.engine.keys(graph).of["prompt"]

        with pytest.raises(WorkflowError, match="mentions embedding:x"):
            key("embedding:x")
        plain = key("blue")
        keys: list[str] = []
        for value in (0.0, 1.0):
            save_model(place, {"emb_params": torch.full((1, tiny.WIDTH), value)})
            keys.append(key("embedding:x"))
        assert len({plain, *keys}) == 3
        assert key("blue") == plain
