"""Measure a model: `python -m models.evaluate SYSTEM [--checkpoint FILE] [--count N] ...`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from engine.ldm.checkpoint import load_latent_diffusion
from engine.ldm.checkpoint_config import FIRST_STAGE
from engine.ldm.training.classifier import Classifier, load_classifier
from engine.ldm.weights import open_model
from models.evaluate.inpainting import inpainting
from models.evaluate.layout import layout
from models.evaluate.report import Report, mixed, sheet
from models.evaluate.semantic import semantic
from models.evaluate.subject import Subject
from models.evaluate.super_resolution import super_resolution
from models.evaluate.synthesis import classes, unconditional

ROOT = Path(__file__).resolve().parents[2]
ALL = ("smileys-emotion", "animals-nature", "food-drink", "travel-places", "activities", "objects")
TWO = ("animals-nature", "food-drink")
HELD_OUT = ("food-drink",)


@dataclass(frozen=True)
class System:
    """How a shipped model is measured unless told otherwise."""

    measure: Callable[[Subject, Callable[[], Classifier]], Report]
    model: str
    groups: tuple[str, ...] = ALL
    size: int = 64
    count: int = 200
    steps: int = 20
    cfg_scale: float = 1.0
    columns: int = 6
    zoom: int = 1


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "super-resolution": System(
            lambda subject, _: super_resolution(subject), "darkroom-emoji-256-x4", HELD_OUT, 256, 24, 2, columns=2
        ),
        "inpainting": System(
            lambda subject, load: inpainting(subject, load()),
            "darkroom-emoji-64-inpainting",
            TWO,
            count=50,
            steps=4,
            columns=4,
        ),
        "semantic": System(lambda subject, _: semantic(subject), "darkroom-emoji-64-semantic", count=100, columns=4),
        "layout": System(
            lambda subject, _: layout(subject), "darkroom-emoji-64-layout", ("food-drink",), count=80, cfg_scale=2.0
        ),
        "classes": System(
            lambda subject, load: classes(subject, load()),
            "darkroom-emoji-64-classes",
            count=180,
            cfg_scale=2.0,
            columns=12,
        ),
        "unconditional": System(
            lambda subject, load: unconditional(subject, load()), "darkroom-emoji-64-unconditional", TWO, columns=12
        ),
    }
)


def main(words: Sequence[str] | None = None) -> None:
    """Measure as the command line says; `words` instead of the process's own arguments."""
    arguments = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    arguments.add_argument("system", choices=SYSTEMS)
    arguments.add_argument("--checkpoint", type=Path, help="instead of the shipped model")
    arguments.add_argument(
        "--vae",
        type=Path,
        default=ROOT / "models/vae/darkroom-emoji-64.safetensors",
        help="of a model whose file has no autoencoder",
    )
    arguments.add_argument("--data", type=Path, default=ROOT / "input/fluent-emoji")
    arguments.add_argument("--groups", help="with commas between, instead of those of the system")
    arguments.add_argument("--count", type=int, help="how many pictures to make")
    arguments.add_argument("--size", type=int, help="of the pictures, in pixels a side")
    arguments.add_argument("--steps", type=int, help="of DPM-Solver++(2M)")
    arguments.add_argument("--cfg-scale", type=float)
    arguments.add_argument("--shown", type=int, default=48, help="how many examples the sheet shows")
    arguments.add_argument(
        "--classifier", type=Path, default=ROOT / "models/classifiers/darkroom-emoji-groups.safetensors"
    )
    arguments.add_argument("--output", type=Path, default=ROOT / "output/evaluation")
    chosen = arguments.parse_args(words)
    system = SYSTEMS[chosen.system]
    shipped = (
        ROOT / "models" / folder / f"{system.model}.safetensors" for folder in ("diffusion_models", "checkpoints")
    )
    path = chosen.checkpoint or next((path for path in shipped if path.is_file()), None)
    if path is None:
        arguments.error(f"there is no {system.model} in models; train it by workflows/train, or give --checkpoint")
    file = open_model(path)
    alone = not any(name.startswith(FIRST_STAGE) for name in file.shapes())
    model = (
        load_latent_diffusion(file, first_stage=open_model(chosen.vae) if alone else None).eval().requires_grad_(False)
    )
    subject = Subject(
        model,
        file,
        chosen.data,
        tuple(each.strip() for each in chosen.groups.split(",") if each.strip())
        if chosen.groups is not None
        else system.groups,
        chosen.size or system.size,
        chosen.count or system.count,
        chosen.steps or system.steps,
        chosen.cfg_scale or system.cfg_scale,
    )
    started = time.process_time()
    report = system.measure(subject, lambda: load_classifier(open_model(chosen.classifier)))
    print(f"{chosen.system}: {report.line()} ({time.process_time() - started:.0f} s of CPU time)")
    chosen.output.mkdir(parents=True, exist_ok=True)
    path = chosen.output / f"{chosen.system}.webp"
    sheet(mixed(report.examples, chosen.shown), system.columns, system.zoom).save(path, quality=80)
    print(f"{path}: green frames are successes, red ones failures")


if __name__ == "__main__":
    main()
