"""The classifier: what its features are, that it learns, and that its file says what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import FileProblem, ModelFileError
from engine.ldm.training.classifier import Classifier, ClassifierConfig, embed_all, load_classifier, save_classifier
from engine.ldm.training.classifier_task import ClassifierTask, train_classifier, vary
from engine.ldm.training.loop import FitSettings
from engine.ldm.training.pictures import Picture, PictureSet
from engine.ldm.weights import open_model, save_model

SETTINGS = FitSettings(steps=40, batch_size=8, learning_rate=1e-2, warm_up=2, ema_decay=0)


def discs_and_bars(count: int = 24) -> PictureSet:
    """Dark discs and dark bars on white, in places of their own."""
    pixels = torch.full((count, 3, 16, 16), 255, dtype=torch.uint8)
    y, x = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    for row in range(count):
        dx, dy = row % 4, row // 4 % 3
        disc = (x - 6 - dx).square() + (y - 6 - dy).square() < 16
        pixels[row, :, disc if row % 2 else (y - 6 - dy).abs() < 2] = 30
    names = ("bar", "disc")
    return PictureSet(tuple(Picture(Path(f"{r}.png"), f"{r}", group=names[r % 2]) for r in range(count)), pixels)


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    return Classifier(ClassifierConfig(("a", "b", "c"), (4, 8), 16)).eval()


def test_pictures_become_maps_vectors_and_groups(classifier: Classifier):
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    maps = classifier.features(x)
    assert [tuple(each.shape) for each in maps] == [(2, 4, 16, 16), (2, 8, 8, 8)]
    assert classifier.embed(x).shape == (2, 8) and classifier.width == 8
    torch.testing.assert_close(classifier.embed(x), maps[-1].mean(dim=(2, 3)))
    assert classifier.logits(x).shape == (2, 3)


def test_pictures_of_any_size_are_seen_at_the_size_it_was_trained_on(classifier: Classifier):
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(classifier.embed(x.repeat_interleave(4, 2).repeat_interleave(4, 3)), classifier.embed(x))
    assert classifier.embed(x[:, :, :8, :8]).shape == (2, 8)
    assert classifier.features(torch.zeros(1, 3, 64, 64))[1].shape == (1, 8, 32, 32)


def test_vectors_of_many_pictures_are_those_of_each(classifier: Classifier):
    x = torch.rand(5, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(embed_all(classifier, x, 2), classifier.embed(x))


def test_it_learns_groups_and_tells_them_on_pictures_it_never_saw():
    module, history, accuracy = train_classifier(discs_and_bars(), (8, 16), SETTINGS, held_out=0.25)
    assert module.config == ClassifierConfig(("bar", "disc"), (8, 16), 16)
    assert sum(history.losses["loss"][-5:]) < 0.6 * sum(history.losses["loss"][:5])
    assert accuracy["held out"] == 1.0 and accuracy["learnt from"] == 1.0
    assert not module.training


def test_pictures_held_out_are_not_learnt_from(monkeypatch: pytest.MonkeyPatch):
    sizes: list[int] = []
    begun = ClassifierTask.__init__

    def begin(self: ClassifierTask, module: Classifier, pixels: torch.Tensor, labels: torch.Tensor) -> None:
        sizes.append(len(pixels))
        begun(self, module, pixels, labels)

    monkeypatch.setattr(ClassifierTask, "__init__", begin)
    train_classifier(discs_and_bars(), (4,), replace(SETTINGS, steps=1), held_out=0.25)
    _, _, accuracy = train_classifier(discs_and_bars(), (4,), replace(SETTINGS, steps=1), held_out=0)
    assert sizes == [18, 24] and set(accuracy) == {"learnt from"}


def test_pictures_of_one_group_cannot_be_told_apart():
    pictures = discs_and_bars()
    one = replace(pictures, pictures=tuple(replace(picture, group="") for picture in pictures.pictures))
    with pytest.raises(FileProblem, match="all pictures are of one group"):
        train_classifier(one, (4,), SETTINGS)


def test_variation_keeps_the_ground_white_and_moves_what_is_on_it():
    x = discs_and_bars().batch(torch.arange(1, 24, 2))
    y = vary(x, torch.Generator().manual_seed(0))
    assert y.shape == x.shape
    torch.testing.assert_close(y[:, :, 0, 0], torch.ones(12, 3))
    assert (y - x).abs().mean() > 0.05
    darkest = y.amin(dim=(1, 2, 3))
    assert darkest.min() < x.min() < darkest.max()  # contrast goes both ways


def test_a_saved_classifier_is_the_same_again(classifier: Classifier, tmp_path: Path):
    save_classifier(tmp_path / "c.safetensors", classifier.half(), {"why": "test"})
    file = open_model(tmp_path / "c.safetensors")
    loaded = load_classifier(file)
    assert loaded.config == classifier.config and file.metadata["why"] == "test"
    x = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(loaded.logits(x), classifier.float().logits(x))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_file_that_holds_no_classifier_is_refused(tmp_path: Path):
    save_model(tmp_path / "c.safetensors", {"x": torch.zeros(1)}, {})
    with pytest.raises(ModelFileError, match="is no classifier"):
        load_classifier(open_model(tmp_path / "c.safetensors"))
