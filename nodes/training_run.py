"""What training nodes share: limits of their inputs, where a training is saved, what is seen of it and kept.

Training state is saved below the output folder, and a finished model among the user's own. A node that runs again goes
on where it stopped; one that had finished gives its model at once.
"""

from __future__ import annotations

import json
from time import monotonic
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.errors import InputProblem
from engine.node import Context, Step
from engine.node.files import write_atomically
from engine.values import Image

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.ldm.training.loop import FitSettings, History, Listener, StepReport

Count = Annotated[int, Field(ge=1, le=100_000_000)]
Rows = Annotated[int, Field(ge=1, le=65_536)]
Channels = Annotated[int, Field(ge=1, le=4096)]
PLOT_WIDTH = 640
LearningRate = Annotated[float, Field(gt=0, le=1), Step(0.0001)]


def state_file(ctx: Context, name: str, fork_from: str = "") -> Path:
    """Where a training's state is saved and resumed from.

    Args:
        fork_from: another training, whose state this one begins with unless it has begun.

    Raises:
        InputProblem: the other training has left no state.
    """
    path = ctx.folders.place("output", f"training/{name}.state.safetensors")
    if fork_from and not path.exists():
        other = ctx.folders.place("output", f"training/{fork_from}.state.safetensors")
        if not other.exists():
            raise InputProblem(
                f"there is no training {fork_from.rpartition('/')[0]!r} to begin from (looked for {other})", "fork_from"
            )
        write_atomically(path, other.read_bytes(), durable=True)
    return path


class Live:
    """What is seen of a training: progress and time left, its curves, and the newest sheet of samples.

    Stops the training when the run is cancelled, with its state saved.

    Args:
        make_way: Whether to stop for other jobs, too, and go on after them.
        plot_every_s: How often the curves are drawn at most.
    """

    def __init__(self, ctx: Context, make_way: bool = False, plot_every_s: float = 5.0) -> None:
        self._ctx, self._make_way, self._plot_every_s = ctx, make_way, plot_every_s
        self._sheet: Tensor | None = None
        self._next_plot = monotonic() + plot_every_s

    def report(self, step: StepReport) -> None:
        """Listens to each step."""
        words = [f"loss {step.losses['loss']:.4f}", f"{step.rows_per_second:.1f} pictures/s"]
        if "perplexity" in step.losses:
            words.append(f"{step.losses['entries used']:.0f} entries, perplexity {step.losses['perplexity']:.0f}")
        left_s = step.history.seconds / step.step * (step.steps - step.step)
        words.append(f"{in_words(left_s)} left")
        self._ctx.progress(step.step, step.steps, ", ".join(words))
        self._ctx.check_cancelled()
        if self._make_way:
            self._ctx.make_way()
        if self._ctx.wants_preview and monotonic() >= self._next_plot:
            self._show(step.history)

    def samples(self, name: str, step: int, pictures: Tensor) -> None:
        """Save a sheet of samples [N, H, W, 3], and show it above the curves from now on."""
        from engine.ldm.training.plot import contact_sheet
        from engine.pixels import encode_jpeg, encode_png

        (sheet,) = contact_sheet(pictures, columns=8)
        self._ctx.folders.save(encode_png(sheet, {}), f"training/{name}/step {step}")
        self._sheet = sheet
        if self._ctx.wants_preview:
            self._ctx.preview(encode_jpeg(sheet))

    def _show(self, history: History) -> None:
        """Show the curves. The more they cost the rarer they are drawn: at most a hundredth of the time."""
        from engine.ldm.training.plot import plot_history, stack_pictures
        from engine.pixels import encode_jpeg

        started = monotonic()
        (curves,) = plot_history(history, PLOT_WIDTH)
        self._ctx.preview(encode_jpeg(curves if self._sheet is None else stack_pictures(self._sheet, curves)))
        now = monotonic()
        self._next_plot = now + max(self._plot_every_s, 100 * (now - started))


def reporter(ctx: Context) -> Listener:
    """A listener that shows a training without samples."""
    return Live(ctx).report


def in_words(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


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
