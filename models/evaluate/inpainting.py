"""Inpainting: is what was painted into a hole of 30 % still recognised as the same kind of thing?"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.ldm.autoencoder import AutoencoderKL, VQModel
from engine.ldm.condition import Condition
from engine.ldm.conditioners.spatial import inpainting_condition, paste_into_hole
from engine.ldm.training.classifier import Classifier, embed_all
from engine.ldm.training.pictures import load_pictures
from models.evaluate.report import Example, Report
from models.evaluate.subject import Subject
from models.evaluate.super_resolution import psnr

AREA = 0.3
GREY = 0.0


@torch.inference_mode()
def inpainting(subject: Subject, classifier: Classifier) -> Report:
    """Cut a square of 30 % of the area, wherever chance puts it, have it painted, and look for the nearest picture.

    The nearest is taken among all pictures of the groups that the classifier knows, by Euclidean distance of the
    classifier's features and of pixels averaged to 16 x 16. The class is the picture's group; "exact" is the picture
    itself. By features it is also looked for without the picture itself ("class among others"). The same is measured of
    the untouched picture and of one whose hole stays grey, which bound what can be seen. A picture is good if its class
    is found by features.
    """
    stage = subject.model.first_stage_model
    assert isinstance(stage, AutoencoderKL | VQModel)
    pictures = load_pictures(subject.data, subject.size, classifier.config.groups)
    rows = subject.rows(pictures)
    x = pictures.batch(rows)
    holes = square_holes(len(x), subject.size, AREA, torch.Generator().manual_seed(subject.seed))
    zero_one = (x + 1) / 2
    condition = inpainting_condition(zero_one, holes, stage)
    painted = subject.make(len(x), Condition(concat=condition))
    filled = paste_into_hole(zero_one, holes, (painted + 1) / 2) * 2 - 1
    emptied = x * (1 - holes) + GREY * holes
    groups = [picture.group for picture in pictures.pictures]
    labels = torch.tensor([sorted(set(groups)).index(group) for group in groups])
    all_pictures = pictures.batch(torch.arange(len(pictures)))
    known, known_pixels = embed_all(classifier, all_pictures), small_pixels(all_pictures)
    figures: dict[str, float] = {"pictures": len(x), "among": len(pictures)}
    found: dict[str, Tensor] = {}
    for name, seen in (("filled", filled), ("grey", emptied), ("untouched", x)):
        distances = torch.cdist(embed_all(classifier, seen), known)
        nearest = distances.argmin(dim=1)
        distances[torch.arange(len(rows)), rows] = torch.inf
        other = distances.argmin(dim=1)
        by_pixels = torch.cdist(small_pixels(seen), known_pixels).argmin(dim=1)
        found[name] = labels[nearest] == labels[rows]
        figures[f"{name}: class"] = _share(labels[nearest] == labels[rows])
        figures[f"{name}: exact"] = _share(nearest == rows)
        figures[f"{name}: class among others"] = _share(labels[other] == labels[rows])
        figures[f"{name}: class by pixels"] = _share(labels[by_pixels] == labels[rows])
        figures[f"{name}: exact by pixels"] = _share(by_pixels == rows)
    figures["PSNR in the hole dB"] = float(hole_psnr(filled, x, holes).mean())
    figures["PSNR in the hole if left grey dB"] = float(hole_psnr(emptied, x, holes).mean())
    examples = [Example((emptied[i], filled[i], x[i]), bool(good)) for i, good in enumerate(found["filled"])]
    return Report(figures, examples)


def _share(right: Tensor) -> float:
    return float(right.float().mean())


def square_holes(count: int, side: int, area: float, draw: torch.Generator) -> Tensor:
    """A square of this share of the area in each picture, inside it: [count, 1, S, S], 1 in the hole."""
    width = round(side * area**0.5)
    holes = torch.zeros(count, 1, side, side)
    for hole, (left, top) in zip(holes, torch.randint(side - width + 1, (count, 2), generator=draw), strict=True):
        hole[:, int(top) : int(top) + width, int(left) : int(left) + width] = 1
    return holes


def hole_psnr(a: Tensor, b: Tensor, holes: Tensor) -> Tensor:
    """dB of each picture over the pixels of its hole alone: [B]."""
    share = holes.flatten(1).mean(dim=1)
    return psnr(a * holes, b * holes) + 10 * share.log10()


def small_pixels(x: Tensor) -> Tensor:
    """Features without a network: the picture averaged to 16 x 16, [B, 768]."""
    return F.adaptive_avg_pool2d(x, 16).flatten(1)
