"""A small classifier of pictures: trained, loaded, and lent to the autoencoder's perceptual loss."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field

from engine.models.handles import Weights
from engine.models.manager import ModelManager
from engine.node import Context, File, Seed, Step, node
from engine.values import Image
from nodes.training_data import Pictures
from nodes.training_run import (
    Count,
    LearningRate,
    Rows,
    check_sides,
    how_trained,
    loss_curve,
    reporter,
    state_file,
    whole_numbers,
)

if TYPE_CHECKING:
    from engine.ldm.training import classifier
    from engine.models.device import Device

ClassifierFile = Annotated[str, File("classifiers")]


@dataclass(frozen=True)
class Classifier:
    """A handle of a classifier's file."""

    port: ClassVar[str] = "CLASSIFIER"
    weights: Weights

    @property
    def label(self) -> str:
        return f"the classifier {Path(self.weights.path).name}"

    def build(self, device: Device) -> classifier.Classifier:
        return self.open()

    def open(self) -> classifier.Classifier:
        """Load the network in float32, to the CPU.

        Raises:
            ModelFileError: the file is gone, has changed, or holds no classifier.
        """
        from engine.ldm.training.classifier import load_classifier

        return load_classifier(self.weights.open())


class TrainedClassifier(NamedTuple):
    classifier: Classifier
    accuracy: float
    loss_curve: Image


@node(category="loaders", title="Load Classifier")
def LoadClassifier(classifier_name: ClassifierFile, ctx: Context) -> Classifier:
    """Load a classifier of pictures, to compare pictures by what it sees in them.

    Args:
        classifier_name: A file in models/classifiers.
    """
    handle = Classifier(Weights.at(ctx.folders.resolve("classifiers", classifier_name)))
    ctx.service(ModelManager).run(handle, lambda network: network.config)  # says at once what is wrong with the file
    return handle


@node(category="training", title="Train Classifier", output=True, lane="device")
def TrainClassifier(
    pictures: Pictures,
    ctx: Context,
    name: str = "classifier",
    widths: str = "16,32,64,128",
    held_out: Annotated[float, Field(ge=0, le=0.9), Step(0.05)] = 0.15,
    steps: Count = 1500,
    batch_size: Rows = 32,
    learning_rate: LearningRate = 2e-3,
    seed: Seed = 0,
) -> TrainedClassifier:
    """Train a small network to tell the pictures' groups apart; Train Autoencoder compares pictures by its features.

    Args:
        pictures: What to learn from; they need groups.
        name: The file's name in models/classifiers.
        widths: Channels of the levels; each level halves the sides.
        held_out: Share of the pictures to measure the accuracy on instead of learning from them.
        steps: Batches to learn from.
        batch_size: Pictures in a batch.
        learning_rate: Highest rate of Adam; it rises at first and falls along a cosine.
        seed: Of initial weights, of what is held out, of order and variation.

    Returns:
        classifier: Goes to Train Autoencoder.
        accuracy: Share of the held-out pictures whose group it finds, from 0 to 1.
        loss_curve: Loss and share of wrong answers by step.
    """
    from engine.ldm.training.classifier import save_classifier
    from engine.ldm.training.classifier_task import train_classifier
    from engine.ldm.training.loop import FitSettings

    levels = whole_numbers(widths, "widths")
    check_sides(pictures.size, levels, "pixels", "widths")
    settings = FitSettings(
        steps, batch_size, learning_rate, seed, min(100, steps), 0.01, weight_decay=0.05, ema_decay=0
    )
    trained, history, accuracy = train_classifier(
        pictures.load(),
        levels,
        settings,
        held_out,
        state_file(ctx, f"{name}/classifier"),
        reporter(ctx),
        ctx.service(ModelManager).device.torch_device,
    )
    path = ctx.folders.place("classifiers", f"{name}.safetensors")
    facts = {**how_trained(settings, history), "darkroom.accuracy": json.dumps(accuracy)}
    save_classifier(path, trained.half(), facts)
    return TrainedClassifier(Classifier(Weights.at(path)), accuracy.get("held out", 0.0), loss_curve(history))
