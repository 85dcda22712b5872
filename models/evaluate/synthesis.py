"""Unconditional and class-conditional synthesis: how near the made pictures lie to the true ones, as a set."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.ldm.classes import read_names
from engine.ldm.condition import Condition
from engine.ldm.training.classifier import Classifier, embed_all
from engine.ldm.training.frechet import frechet_distance
from models.evaluate.inpainting import small_pixels
from models.evaluate.report import Example, Report
from models.evaluate.subject import Subject


@torch.inference_mode()
def unconditional(subject: Subject, classifier: Classifier) -> Report:
    """Make pictures of nothing in particular and compare their features with those of all training pictures."""
    made = subject.make(subject.count, Condition())
    return Report(_distances(subject, classifier, made), [Example((picture,)) for picture in made])


@torch.inference_mode()
def classes(subject: Subject, classifier: Classifier) -> Report:
    """Make as many pictures of each class, compare their features, and let a classifier name the class of each.

    The classifier's share on true pictures, through the autoencoder, bounds what can be reached; it has seen them.
    """
    names = read_names(subject.file)
    labels = torch.arange(subject.count) * len(names) // subject.count
    wanted = subject.model.encode_condition(labels)
    nothing = subject.model.encode_condition(torch.tensor([len(names)]))
    made = subject.make(subject.count, wanted, nothing)
    good = _named(classifier, made, names) == labels
    pictures = subject.pictures()
    rows = subject.rows(pictures)
    groups = [pictures.pictures[row].group for row in map(int, rows)]
    true = _named(classifier, subject.through(pictures.batch(rows)), names) == torch.tensor(
        [names.index(group) for group in groups]
    )
    figures = {
        **_distances(subject, classifier, made),
        "class accuracy": float(good.float().mean()),
        "class accuracy of true pictures": float(true.float().mean()),
    }
    for label, name in enumerate(names):
        figures[f"accuracy of {name}"] = float(good[labels == label].float().mean())
    return Report(figures, [Example((picture,), bool(right)) for picture, right in zip(made, good, strict=True)])


def _distances(subject: Subject, classifier: Classifier, made: Tensor) -> dict[str, float]:
    """Frechet distances of the made pictures and of as many true ones to all true ones, and how many are copies."""
    pictures = subject.pictures()
    x = pictures.batch(torch.arange(len(pictures)))
    rows = subject.rows(pictures)
    known = embed_all(classifier, x)
    return {
        "pictures": len(made),
        "among": len(x),
        "Frechet distance": frechet_distance(embed_all(classifier, made), known),
        "of as many true pictures": frechet_distance(known[rows], known),
        "of as many true ones through the autoencoder": frechet_distance(
            embed_all(classifier, subject.through(x[rows])), known
        ),
        "share of near copies": near_copies(small_pixels(made), small_pixels(x)),
    }


def _named(classifier: Classifier, x: Tensor, names: Sequence[str]) -> Tensor:
    """The class of each picture as the classifier sees it, as a number of the model: [B]."""
    logits = classifier.head(embed_all(classifier, x))
    return logits[:, [classifier.config.groups.index(name) for name in names]].argmax(dim=1)


def near_copies(made: Tensor, known: Tensor) -> float:
    """The share of made pictures that lie nearer to a known one than half the way to its nearest fellow.

    made: [N, D], known: [M, D], features. Such a picture was learnt by heart rather than made up.
    """
    apart = torch.cdist(known, known)
    apart.fill_diagonal_(torch.inf)
    distance, nearest = torch.cdist(made, known).min(dim=1)
    return float((distance < apart.min(dim=1).values[nearest] / 2).float().mean())
