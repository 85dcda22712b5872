"""The classifier as a node: three steps on four small pictures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import InputProblem, ModelFileError
from engine.ldm.weights import open_model
from engine.models.manager import ModelManager
from engine.node import NullContext
from nodes.classifier import LoadClassifier, TrainClassifier
from nodes.training_data import Pictures
from tests.nodes.training import assert_is_a_curve

CLASSIFIER: dict[str, Any] = {"name": "kinds", "widths": "4,8", "held_out": 0.25, "steps": 3, "batch_size": 2}


def test_a_trained_classifier_is_saved_with_its_accuracy_and_loaded(ctx: NullContext, pictures: Pictures) -> None:
    trained = TrainClassifier(pictures, ctx, **CLASSIFIER)
    assert trained.classifier == LoadClassifier("kinds.safetensors", ctx)
    assert_is_a_curve(trained.loss_curve)
    metadata = open_model(ctx.folders.models[0] / "classifiers/kinds.safetensors").metadata
    assert json.loads(metadata["darkroom.accuracy"])["held out"] == trained.accuracy in (0.0, 1.0)
    assert json.loads(metadata["darkroom.trained"])["pictures_seen"] == 6
    groups = ctx.service(ModelManager).run(trained.classifier, lambda network: network.config.groups)
    assert groups == ("coloured", "plain")


def test_levels_that_cannot_halve_the_pictures_are_refused(ctx: NullContext, pictures: Pictures) -> None:
    with pytest.raises(InputProblem, match="6 levels want sides in multiples of 32") as it:
        TrainClassifier(pictures, ctx, **{**CLASSIFIER, "widths": "4,4,4,4,4,4"})
    assert it.value.input == "widths"


def test_a_file_of_something_else_is_refused(ctx: NullContext, loaded: object) -> None:
    file = ctx.folders.models[0] / "classifiers" / "other.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes((ctx.folders.models[1] / "vae/part.safetensors").read_bytes())
    with pytest.raises(ModelFileError, match="is no classifier"):
        LoadClassifier("other.safetensors", ctx)
