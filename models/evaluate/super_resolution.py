"""Super-resolution: PSNR against bicubic, on pictures of a group that training never saw."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.ldm.condition import Condition
from models.evaluate.report import Example, Report
from models.evaluate.subject import Subject

MORE = 8
"""Steps that are shown, too: fewer come nearer to the mean of what is possible, and score higher."""


@torch.inference_mode()
def super_resolution(subject: Subject) -> Report:
    """Shrink pictures by averaging f x f pixels, enlarge them by the model and by bicubic interpolation, compare.

    Bicubic is PyTorch's (a = -0.75, no antialiasing, since it enlarges). PSNR is the mean over pictures, over all
    pixels and channels in [0, 1]. A picture counts as good if the model gains 1.5 dB on bicubic.
    """
    first_stage = subject.model.config.first_stage
    assert first_stage is not None
    factor = first_stage.downsampling
    pictures = subject.pictures()
    x = pictures.batch(subject.rows(pictures))
    small = F.avg_pool2d(x, factor)
    bicubic = F.interpolate(small, scale_factor=factor, mode="bicubic").clamp(-1, 1)
    by_steps = {steps: subject.make(len(x), Condition(concat=small), steps=steps) for steps in {subject.steps, MORE}}
    made = by_steps[subject.steps]
    gains = psnr(made, x) - psnr(bicubic, x)
    figures = {
        "pictures": len(x),
        "bicubic dB": float(psnr(bicubic, x).mean()),
        "model dB": float(psnr(made, x).mean()),
        "gain dB": float(gains.mean()),
        "share that gains 1.5 dB": float((gains >= 1.5).float().mean()),
        "smallest gain dB": float(gains.min()),
        "autoencoder alone dB": float(psnr(subject.through(x), x).mean()),
    }
    for steps, other in sorted(by_steps.items()):
        figures[f"gain dB with {steps} steps"] = float((psnr(other, x) - psnr(bicubic, x)).mean())
    order = gains.argsort(descending=True)
    examples = [Example((bicubic[i], made[i], x[i]), bool(gains[i] >= 1.5)) for i in map(int, order)]
    return Report(figures, examples)


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """a, b: [B, C, H, W] in [-1, 1]. Returns dB of each row, [B]."""
    return -10 * ((a - b) / 2).square().flatten(1).mean(dim=1).log10()
