"""The comparison as a page of the documentation."""

from __future__ import annotations

import math
import time

from benchmarks.tradeoff.outcome import Outcome

TEMPLATE = """# Compression against quality: Fig. 6 of the paper in miniature

Written by `python -m benchmarks tradeoff --points {shown}`, which trains everything with the project's own library
into `output/tradeoff`, and goes on where it was stopped. {date}, one thread of a CPU, times in CPU seconds.

How much should the first stage compress? Rombach et al. 2022 (sec. 4.1, Fig. 6) train the same U-Net behind first
stages of f = 1 (pixels) to 32. Here the same is done as small as it gets:

- data: the {pictures:,} emoji of workflows/train/text_to_image_base.json at {size} x {size} pixels;
- U-Nets: {parameters:.1f} M parameters, unconditional, predicting v; they differ in nothing but the channels they take
  and give. Each trains for the same {budget:g} CPU seconds, {batch} pictures a step, at a constant learning rate with
  averaged weights;
- first stages: KL autoencoders of {channels} channels, {stage_steps} steps each, not counted in the budget, as in the
  paper. f = 1 has none: its latents are the pixels;
- latents, pixels too, are divided by their standard deviation, so that one noise schedule fits all;
- samples: {made} pictures by DPM-Solver++(2M) in {steps} steps;
- the Fréchet distance is between features of a small classifier of the emoji's groups
  (engine/ldm/training/classifier.py: its last level, averaged), of the samples and of all pictures.

![distance by training time and by sampling speed](images/tradeoff.png)

{first_stages}

Of as many true pictures the distance to all of them is {floor:.3g}: no model can be expected below that.

{points}

The first samples of each after {budget:g} s, one row for each f, f = 1 on top:

![samples of each factor](images/tradeoff-samples.webp)

## What it can and cannot show

- It can show cost: with the same U-Net, a step and a sample cost what the latent has cells. f = 1 needs many times the
  time of f = 8 for each, so within one budget it learns from far fewer pictures.
- It can show the two ends of the paper's trade-off: without compression a budget ends before pictures take shape; with
  too much of it the pictures lie as far from the true ones as the first stage's own reconstructions do, and training
  the U-Net for longer cannot mend that. It is no strict floor: samples may lie nearer than reconstructions, where both
  are blurred in other ways.
- It cannot rank neighbouring factors. The budget is seconds where the paper's is weeks, there is one seed, and a
  picture of 32 pixels at f = 8 has as few cells as one of 256 at f = 64.
- The first stages are narrow and trained for less than a minute, and lose far more than the paper's, or than the
  shipped one of f = 4 (30.5 dB, after 40 minutes). That weighs against f = 4 and 8: with better ones both would gain.
- Look at the samples beside the distances: they need not agree. The classifier's features weigh detail, which large f
  loses; a shape that holds together counts for less.
- The distance is not FID. It stands on the features of a small classifier trained on these same pictures, not on
  Inception's; compare it within this page only. For so few pictures it is biased upwards, as FID is; the distance of as
  many true pictures says by how much.
- The losses are means over latents of different sizes and difficulty: compare them down a column over time, not across
  factors.
"""


def page(outcome: Outcome) -> str:
    """docs/tradeoff.md: the settings, the tables and what they mean."""
    plan = outcome.plan
    return TEMPLATE.format(
        date=time.strftime("%Y-%m-%d"),
        pictures=outcome.pictures,
        size=plan.size,
        shown=",".join(f"{seconds:g}" for seconds in plan.points),
        parameters=outcome.unet_parameters / 1e6,
        budget=plan.points[-1],
        batch=plan.batch_size,
        channels=plan.first_stage_channels,
        stage_steps=plan.first_stage_steps,
        made=plan.pictures,
        steps=plan.sampling_steps,
        first_stages="\n".join(_first_stages(outcome)),
        floor=outcome.floor,
        points="\n".join(_points(outcome)),
    )


def _first_stages(outcome: Outcome) -> list[str]:
    plan = outcome.plan
    rows = [
        "| f | latent | numbers of it | first stage | PSNR | distance of reconstructions |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for stage in outcome.first_stages:
        side = plan.size // stage.factor
        size = f"{side} x {side} x {stage.numbers // side**2}"
        network = f"{stage.parameters / 1e6:.2f} M" if stage.parameters else "none"
        kept = f"{stage.psnr:.1f} dB" if math.isfinite(stage.psnr) else "exact"
        rows.append(f"| {stage.factor} | {size} | {stage.numbers:,} | {network} | {kept} | {stage.frechet:.3g} |")
    return rows


def _points(outcome: Outcome) -> list[str]:
    rows = [
        "| f | trained for | steps | pictures seen | training, /s | sampling, /s | loss | Fréchet distance |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in sorted(outcome.judged, key=lambda each: (each.point.factor, each.point.seconds)):
        point = each.point
        seen = point.steps * outcome.plan.batch_size
        rows.append(
            f"| {point.factor} | {point.seconds:g} s | {point.steps:,} | {seen:,} | {point.training_rate:.0f} | "
            f"{point.sampling_rate:.1f} | {point.loss:.3f} | {each.frechet:.3g} |"
        )
    return rows
