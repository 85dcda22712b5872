"""The classes of a class-conditional model, by number and, where its file knows them, by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from torch import Tensor

from engine.errors import ModelFileError
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.weights import ModelFile

CLASSES_KEY = "darkroom.classes"
"""Metadata of a checkpoint: names of classes, a JSON list in the order of the labels."""
SHOWN = 8


@dataclass(frozen=True)
class Classes:
    """`count` classes; the last one is "no class" if `names` are one fewer.

    `vectors`: [count, D], what each class is to the U-Net; None where the U-Net takes the number itself (adm).
    """

    count: int
    names: Sequence[str] = ()
    vectors: Tensor | None = None

    def label(self, name: str) -> int | None:
        """The number of a class by its name or number, or of "no class" for an empty name; None if there is none."""
        name = name.strip()
        if not name:
            return self.count - 1
        if name.isascii() and name.isdecimal():
            return int(name) if int(name) < self.count else None
        found = [index for index, each in enumerate(self.names) if each.lower() == name.lower()]
        return found[0] if found else None

    def listed(self) -> str:
        """The classes for a message."""
        if not self.names:
            return "numbers only"
        more = f" and {len(self.names) - SHOWN} more" if len(self.names) > SHOWN else ""
        return ", ".join(self.names[:SHOWN]) + more


def read_classes(file: ModelFile, config: LatentDiffusionConfig) -> Classes:
    """Find the classes of a model's file.

    Raises:
        ModelFileError: the model is not conditioned by classes, or its list of names is damaged.
    """
    found = config.find_conditioner(ClassConfig)
    if found is not None:
        vectors = file.tensor(f"{found[1]}embedding.weight")
        return Classes(len(vectors), read_names(file), vectors)
    if config.conditioning_key == "adm" and config.unet.num_classes is not None:
        return Classes(config.unet.num_classes, read_names(file))
    raise ModelFileError(f"{file.path} is not conditioned by classes; use a node that fits it, such as Encode Text")


def read_names(file: ModelFile) -> Sequence[str]:
    """What a model's file calls its classes, in the order of their numbers; empty where it does not say.

    Raises:
        ModelFileError: the list is damaged.
    """
    try:
        names = cast(object, json.loads(file.metadata.get(CLASSES_KEY, "[]")))
    except ValueError as error:
        raise ModelFileError(f"{file.path}: its list of classes is not JSON: {error}") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[object]", names)):
        raise ModelFileError(f"{file.path}: its list of classes is not a list of names; the file is damaged")
    return cast("list[str]", names)
