"""Classes, and no condition at all, to conditioning."""

from __future__ import annotations

from engine.errors import InputProblem
from engine.models.handles import Model
from engine.node import Multiline, node
from engine.values import Conditioning, ConditioningPart


@node(category="conditioning", title="Encode Class")
def EncodeClass(model: Model, class_name: Multiline = "") -> Conditioning:
    """Name one of the classes that a class-conditional model was trained on.

    Args:
        model: The model that will sample; its file knows the classes.
        class_name: A class's name, or its number counted from 0. Empty means no class, which guidance leads away from.
            Several lines make a class for each picture of the batch.
    """
    import torch

    from engine.ldm.classes import read_classes

    classes = read_classes(model.weights.open(), model.config)
    labels: list[int] = []
    for name in class_name.splitlines() or [""]:
        label = classes.label(name)
        if label is None:
            raise InputProblem(
                f"this model has no class {name.strip()!r}; it has {classes.listed()}, and numbers up to "
                f"{classes.count - 1}",
                "class_name",
            )
        labels.append(label)
    if classes.vectors is None:
        return Conditioning((ConditioningPart(y=torch.tensor(labels)),))
    return Conditioning((ConditioningPart(context=classes.vectors[labels].float()[:, None].clone()),))  # [B, 1, D]


@node(category="conditioning", title="No Condition")
def NoCondition() -> Conditioning:
    """Ask for nothing in particular: for models that were trained without conditions."""
    return Conditioning((ConditioningPart(),))
