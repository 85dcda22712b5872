"""The curves of a training as a picture, drawn with Pillow alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.ldm.training.state import History

COLOURS = ((66, 133, 244), (219, 68, 55), (244, 160, 0), (15, 157, 88), (171, 71, 188))
GROUND, GRID, TEXT = (250, 250, 248), (222, 222, 218), (70, 70, 74)
MARGIN_LEFT, MARGIN_TOP, MARGIN = 84, 56, 28
STRIP = 130
"""Height of the strip of one measure, in pixels."""


def plot_losses(losses: Mapping[str, Sequence[float]], width: int = 960, height: int = 540) -> Tensor:
    """Draw losses by step on a logarithmic scale: faint as recorded, strong as a running mean over 1 % of the steps.

    Args:
        losses: Values by name; one that has fewer began later. Zero and negative values are left out.

    Returns:
        [1, height, width, 3] in [0, 1].
    """
    picture = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(picture, "RGBA")
    font = ImageFont.load_default(15)
    shown = {name: values for name, values in losses.items() if any(value > 0 for value in values)}
    positive = [value for values in shown.values() for value in values if value > 0]
    steps = max((len(values) for values in shown.values()), default=0)
    if steps < 2 or not positive:
        draw.text((width / 2, height / 2), "no steps yet", TEXT, font, anchor="mm")
        return _tensor(picture)
    low, high = math.log10(min(positive)), math.log10(max(positive))
    high = max(high, low + 0.1)
    right, bottom = width - MARGIN, height - 48

    def place(step: int, value: float) -> tuple[float, float]:
        across = MARGIN_LEFT + (right - MARGIN_LEFT) * step / (steps - 1)
        return across, bottom - (bottom - MARGIN_TOP) * (math.log10(value) - low) / (high - low)

    for value in _ticks(low, high):
        y = place(0, value)[1]
        draw.line((MARGIN_LEFT, y, right, y), GRID)
        draw.text((MARGIN_LEFT - 10, y), f"{value:g}", TEXT, font, anchor="rm")
    for part in range(5):
        step = round((steps - 1) * part / 4)
        draw.text((place(step, 10**low)[0], bottom + 12), f"{step:,}", TEXT, font, anchor="mt")
    x = MARGIN_LEFT
    for index, (name, values) in enumerate(shown.items()):
        colour = COLOURS[index % len(COLOURS)]
        window = max(1, steps // 100)
        begun = steps - len(values)
        draw.line([place(begun + i, v) for i, v in enumerate(values) if v > 0], (*colour, 50), 1)
        draw.line([place(begun + i, v) for i, v in enumerate(_running_mean(values, window)) if v > 0], colour, 2)
        draw.rectangle((x, 22, x + 14, 36), colour)
        draw.text((x + 22, 29), name.replace("_", " "), TEXT, font, anchor="lm")
        x += 50 + int(font.getlength(name))
    return _tensor(picture)


def plot_history(history: History, width: int = 960) -> Tensor:
    """Draw losses as `plot_losses` does, and below them each measure in a strip of its own, from 0 up.

    Returns:
        [1, height, width, 3] in [0, 1]; the height grows with the measures.
    """
    losses = plot_losses(history.losses, width)
    measures = [(name, values) for name, values in history.measures.items() if len(values) > 1]
    strips = [_strip(name, values, max(history.step, len(values)), width) for name, values in measures]
    return torch.cat([losses, *strips], dim=1)


def _strip(name: str, values: Sequence[float], steps: int, width: int) -> Tensor:
    """One measure by step, on a linear scale that holds 0; it may have begun later than the training."""
    picture = Image.new("RGB", (width, STRIP), GROUND)
    draw = ImageDraw.Draw(picture, "RGBA")
    font = ImageFont.load_default(15)
    low, high = min(0.0, *values), max(0.0, *values)
    high = high if high > low else low + 1
    right, top, bottom = width - MARGIN, 30, STRIP - 14

    def place(index: int, value: float) -> tuple[float, float]:
        step = steps - len(values) + index
        across = MARGIN_LEFT + (right - MARGIN_LEFT) * step / (steps - 1)
        return across, bottom - (bottom - top) * (value - low) / (high - low)

    for value in (low, high):
        y = place(0, value)[1]
        draw.line((MARGIN_LEFT, y, right, y), GRID)
        draw.text((MARGIN_LEFT - 10, y), f"{value:.3g}", TEXT, font, anchor="rm")
    draw.line([place(i, v) for i, v in enumerate(values)], (*COLOURS[0], 50), 1)
    draw.line([place(i, v) for i, v in enumerate(_running_mean(values, max(1, steps // 100)))], COLOURS[0], 2)
    draw.text((MARGIN_LEFT, 14), name, TEXT, font, anchor="lm")
    return _tensor(picture)


def _ticks(low: float, high: float) -> list[float]:
    """Round values between 10^low and 10^high: 1, 2 and 5 times powers of ten; at least the two ends."""
    values = [m * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    inside = [value for value in values if low <= math.log10(value) <= high]
    return inside if len(inside) > 1 else [10**low, 10**high]


def _running_mean(values: Sequence[float], window: int) -> list[float]:
    sums = np.cumsum([0.0, *values])
    return [float(sums[i + 1] - sums[max(0, i + 1 - window)]) / min(i + 1, window) for i in range(len(values))]


def _tensor(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture, dtype=np.float32) / 255.0)[None]


def stack_pictures(*pictures: Tensor) -> Tensor:
    """Lay pictures [H, W, 3] one below another on the plot's ground: [sum of H, widest W, 3]."""
    width = max(picture.shape[1] for picture in pictures)
    ground = torch.tensor(GROUND) / 255
    rows: list[Tensor] = []
    for picture in pictures:
        row = ground.repeat(picture.shape[0], width, 1)
        left = (width - picture.shape[1]) // 2
        row[:, left : left + picture.shape[1]] = picture
        rows.append(row)
    return torch.cat(rows)


def contact_sheet(pictures: Tensor, columns: int, gap: int = 4) -> Tensor:
    """Lay pictures out in rows on white.

    Args:
        pictures: [N, H, W, 3] in [0, 1].

    Returns:
        [1, rows * (H + gap) + gap, columns * (W + gap) + gap, 3].
    """
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    sheet = torch.ones(rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet[None]
