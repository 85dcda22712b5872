"""Classes by name and number, from a checkpoint's own words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.errors import ModelFileError
from engine.ldm.classes import CLASSES_KEY, Classes, read_classes
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.unet import UNetConfig
from engine.ldm.weights import ModelFile, open_model, save_model

CONFIG = LatentDiffusionConfig(UNetConfig(4, 4, 16), conditioner=ClassConfig(4, 3))


def saved(path: Path, names: str | None) -> ModelFile:
    file = path / "classes.safetensors"
    save_model(file, {"cond_stage_model.embedding.weight": torch.rand(3, 4)}, {CLASSES_KEY: names} if names else {})
    return open_model(file)


def test_a_class_is_found_by_its_name_or_number(tmp_path: Path):
    classes = read_classes(saved(tmp_path, '["animals", "food"]'), CONFIG)
    assert [classes.label(name) for name in ("animals", " Food ", "1", "")] == [0, 1, 1, 2]
    assert classes.label("cars") is None and classes.label("3") is None
    assert classes.listed() == "animals, food"


def test_a_model_without_names_has_numbers(tmp_path: Path):
    classes = read_classes(saved(tmp_path, None), CONFIG)
    assert classes.label("0") == 0 and classes.label("animals") is None
    assert classes.listed() == "numbers only"


def test_a_long_list_is_cut():
    assert Classes(torch.zeros(12, 1), [f"c{number}" for number in range(11)]).listed().endswith("c7 and 3 more")


@pytest.mark.parametrize("names", ["{", '{"a": 1}', "[1, 2]"])
def test_a_damaged_list_is_refused(tmp_path: Path, names: str):
    with pytest.raises(ModelFileError, match="list of classes"):
        read_classes(saved(tmp_path, names), CONFIG)


def test_a_model_of_another_kind_has_no_classes(tmp_path: Path):
    with pytest.raises(ModelFileError, match="not conditioned by classes"):
        read_classes(saved(tmp_path, None), LatentDiffusionConfig(UNetConfig(4, 4, 16)))
