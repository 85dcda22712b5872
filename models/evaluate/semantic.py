"""Semantic synthesis: is the map that can be read off a picture the one that was asked?"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.ldm.conditioners.spatial import one_hot_map
from engine.ldm.palette import PALETTE, nearest_colours, paint
from models.evaluate.report import Example, Report
from models.evaluate.subject import Subject

ENOUGH = 0.6


@torch.inference_mode()
def semantic(subject: Subject) -> Report:
    """Derive maps of colours from pictures, make pictures from the maps, derive the maps again and compare.

    Mean IoU as for segmentation: intersections and unions of each colour are added up over all pictures, and the
    colours' ratios averaged. A picture is good if the mean of its own colours' ratios is at least 0.6. The same is
    measured of the true pictures sent through the autoencoder, which bounds what can be reached.
    """
    pictures = subject.pictures()
    x = pictures.batch(subject.rows(pictures))
    asked = nearest_colours(x)  # [B, H, W]
    made = subject.make(len(x), subject.model.encode_condition(one_hot_map(asked, len(PALETTE))))
    found = nearest_colours(made)
    ratios, shared, joined = colour_ratios(asked, found), *_counts(asked, found)
    ceiling_shared, ceiling_joined = _counts(asked, nearest_colours(subject.through(x)))
    figures = {
        "pictures": float(len(x)),
        "mean IoU": _mean_ratio(shared, joined),
        "mean over pictures": float(ratios.mean()),
        "share of pictures with 0.6": float((ratios >= ENOUGH).float().mean()),
        "pixels of the asked colour": float((asked == found).float().mean()),
        "true pictures through the autoencoder": _mean_ratio(ceiling_shared, ceiling_joined),
        "all white": _mean_ratio(*_counts(asked, torch.zeros_like(asked))),
    }
    maps = paint(asked)
    order = map(int, ratios.argsort(descending=True))
    examples = [Example((maps[i], made[i], paint(found[i : i + 1])[0]), bool(ratios[i] >= ENOUGH)) for i in order]
    return Report(figures, examples)


def colour_ratios(asked: Tensor, found: Tensor) -> Tensor:
    """Mean IoU of each picture over the colours of its asked map: [B]. asked, found: [B, H, W] labels."""
    a, b = (one_hot_map(labels, len(PALETTE)).bool().flatten(2) for labels in (asked, found))  # [B, K, H*W]
    ratios = (a & b).sum(dim=2) / (a | b).sum(dim=2).clamp(min=1)
    present = a.any(dim=2)
    return (ratios * present).sum(dim=1) / present.sum(dim=1)


def _counts(asked: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels of each colour in both maps, and in either: [K] each."""
    a, b = (one_hot_map(labels, len(PALETTE)).bool() for labels in (asked, found))  # [B, K, H, W]
    return (a & b).sum(dim=(0, 2, 3)), (a | b).sum(dim=(0, 2, 3))


def _mean_ratio(shared: Tensor, joined: Tensor) -> float:
    present = joined > 0
    return float((shared[present] / joined[present]).mean())
