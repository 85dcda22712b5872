"""What training nodes share: limits of their inputs, where a training is saved, what is seen of it and kept.

Training state is saved below the output folder, and a finished model among the user's own. A node that runs again goes
on where it stopped; one that had finished gives its model at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.errors import InputProblem
from engine.node import Context, Step
from engine.values import Image

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.ldm.training.loop import FitSettings, History, Listener, StepReport

Count = Annotated[int, Field(ge=1, le=100_000_000)]
Rows = Annotated[int, Field(ge=1, le=65_536)]
Channels = Annotated[int, Field(ge=1, le=4096)]
LearningRate = Annotated[float, Field(gt=0, le=1), Step(0.0001)]


def state_file(ctx: Context, name: str) -> Path:
    """Where a training's state is saved and resumed from."""
    return ctx.folders.place("output", f"training/{name}.state.safetensors")


def reporter(ctx: Context) -> Listener:
    """Show progress, loss and speed; stops the training when the run is cancelled, with its state saved."""

    def report(step: StepReport) -> None:
        words = [f"loss {step.losses['loss']:.4f}", f"{step.rows_per_second:.1f} pictures/s"]
        if "perplexity" in step.losses:
            words.append(f"{step.losses['entries used']:.0f} entries, perplexity {step.losses['perplexity']:.0f}")
        ctx.progress(step.step, step.steps, ", ".join(words))
        ctx.check_cancelled()

    return report


def show_samples(ctx: Context, name: str, step: int, pictures: Tensor) -> None:
    """Save a sheet of samples [N, H, W, 3], and show it."""
    from engine.ldm.training.plot import contact_sheet
    from engine.pixels import encode_jpeg, encode_png

    (sheet,) = contact_sheet(pictures, columns=8)
    ctx.folders.save(encode_png(sheet, {}), f"training/{name}/step {step}")
    if ctx.wants_preview:
        ctx.preview(encode_jpeg(sheet))


def whole_numbers(text: str, input: str) -> tuple[int, ...]:
    """Read numbers of at least 1 with commas between.

    Raises:
        InputProblem: `text` is something else.
    """
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise InputProblem(f"{input} is {text!r}; write whole numbers with commas between, like 1,2,3", input)
    return numbers


def check_widths(channels: int, mult: tuple[int, ...], groups: int, heads: int = 1) -> None:
    """Make sure before a long training that every level can be normed in groups and attended to by heads.

    Raises:
        InputProblem: it cannot.
    """
    for width in (channels * each for each in mult):
        if width % groups:
            raise InputProblem(f"{groups} groups do not divide a level of {width} channels; use 8 or 4", "norm_groups")
        if width % heads:
            raise InputProblem(f"{heads} heads do not divide a level of {width} channels; use 4, 2 or 1", "heads")


def check_sides(side: int, mult: tuple[int, ...], what: str, input: str = "channel_mult") -> None:
    """Make sure that a side can be halved from level to level; `what` it is counted in goes into the message.

    Raises:
        InputProblem: it cannot.
    """
    factor = 2 ** (len(mult) - 1)
    if side % factor:
        raise InputProblem(
            f"{len(mult)} levels want sides in multiples of {factor}, but there are {side} {what}; use fewer levels",
            input,
        )


def how_trained(settings: FitSettings, history: History) -> dict[str, str]:
    """What a model file says about its training."""
    facts = {
        "steps": history.step,
        "pictures_seen": history.step * settings.rows_per_step,
        "hours": round(history.seconds / 3600, 2),
        "final_losses": {name: round(sum(v[-200:]) / len(v[-200:]), 5) for name, v in history.losses.items() if v},
    }
    return {"darkroom.trained": json.dumps(facts)}


def loss_curve(history: History) -> Image:
    """What was recorded by step, drawn."""
    from engine.ldm.training.plot import plot_history

    return Image(plot_history(history))
