"""Run the whole comparison and write what came out: `python -m benchmarks tradeoff [--quick] [--folder FOLDER]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.tradeoff.outcome import FirstStage, Judged, Outcome
from benchmarks.tradeoff.page import page
from benchmarks.tradeoff.plan import GROUPS, QUICK, Plan
from benchmarks.tradeoff.plots import curves, samples
from benchmarks.tradeoff.stages import Behind, made_at, prepare, reconstruct, train_until
from engine.ldm.training.classifier import Classifier, embed_all, load_classifier
from engine.ldm.training.frechet import frechet_distance
from engine.ldm.training.pictures import PictureSet, load_pictures
from engine.ldm.unet import UNetModel
from engine.ldm.weights import open_model

ROOT = Path(__file__).resolve().parents[2]


def main(words: Sequence[str]) -> int:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks tradeoff", description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="tiny networks: to see that it runs")
    arguments.add_argument(
        "--points",
        help="CPU seconds of training to judge each U-Net after, rising, with commas; the last is the budget",
    )
    arguments.add_argument("--folder", type=Path, default=ROOT / "output/tradeoff", help="what to go on from")
    arguments.add_argument("--data", type=Path, default=ROOT / "input/fluent-emoji")
    arguments.add_argument(
        "--classifier", type=Path, default=ROOT / "models/classifiers/darkroom-emoji-groups.safetensors"
    )
    arguments.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the page and its pictures go")
    chosen = arguments.parse_args(words)
    plan = QUICK if chosen.quick else Plan()
    if chosen.points:
        plan = replace(plan, points=tuple(map(float, chosen.points.split(","))))
    pictures = load_pictures(chosen.data, plan.size, () if chosen.quick else GROUPS)
    classifier = load_classifier(open_model(chosen.classifier))
    outcome = compare(plan, pictures, classifier, chosen.folder)
    (chosen.folder / "outcome.json").write_text(json.dumps(asdict(outcome), indent=2))
    images = chosen.docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    curves(outcome.judged).save(images / "tradeoff.png", optimize=True)
    rows = {factor: made_at(chosen.folder, factor, plan.points[-1]) for factor in plan.factors}
    samples(rows).save(images / "tradeoff-samples.webp", quality=85)
    (chosen.docs / "tradeoff.md").write_text(page(outcome))
    print((chosen.docs / "tradeoff.md").read_text())
    return 0


def compare(plan: Plan, pictures: PictureSet, classifier: Classifier, folder: Path) -> Outcome:
    """Train what the folder does not hold yet, and measure all of it."""
    x = pictures.batch(torch.arange(len(pictures)))
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[: plan.pictures]
    known = embed_all(classifier, x)

    def distance(made: Tensor) -> float:
        return frechet_distance(embed_all(classifier, made), known)

    behind = {factor: prepare(plan, factor, pictures, folder) for factor in reversed(plan.factors)}  # the quick first
    stages: list[FirstStage] = []
    for factor in plan.factors:
        again = reconstruct(pictures, behind[factor].autoencoder)
        stages.append(_measured(behind[factor], x, again, distance(again[rows])))
    # Point by point, so that what was stopped early has all factors at the same point.
    points = [train_until(plan, each, seconds) for seconds in plan.points for each in behind.values()]
    judged = [Judged(point, distance(made_at(folder, point.factor, point.seconds))) for point in points]
    unet = UNetModel(plan.model(1, 1.0).unet)
    parameters = sum(each.numel() for each in unet.parameters())
    return Outcome(plan, len(x), parameters, distance(x[rows]), stages, judged)


def _measured(behind: Behind, x: Tensor, again: Tensor, distance: float) -> FirstStage:
    error = ((again - x) / 2).square().flatten(1).mean(dim=1)
    autoencoder = behind.autoencoder
    parameters = 0 if autoencoder is None else sum(each.numel() for each in autoencoder.parameters())
    numbers = behind.latents.mean[0].numel()
    return FirstStage(behind.factor, numbers, parameters, float((-10 * error.log10()).mean()), distance)
