"""The training loop both stages share: optimise, average, record, save, resume exactly.

Every random draw of step n comes from a generator seeded with (seed, n), and the rows of a batch from a permutation
seeded with (seed, epoch). So a step depends on the weights and its number alone: a run that was killed and resumed
computes the same losses as one that was not.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from engine.ldm.training.ema import EMA
from engine.ldm.training.state import History, Learner, restore_state, save_state

ADVERSARY_BETAS = (0.5, 0.9)
"""Source: `configure_optimizers` of CompVis/latent-diffusion, ldm/models/autoencoder.py."""


Schedule = Literal["cosine", "linear", "constant"]


@dataclass(frozen=True)
class FitSettings:
    """How to optimise. `learning_rate` rises over `warm_up` steps and falls to `final_rate` of it.

    `betas` of Adam; `clip` limits the gradient's norm; `ema_decay` 0 means no averaging. `accumulate` batches make one
    step, whose gradient is their mean: as a batch so many times as large, in the memory of one. `schedule` is how the
    rate falls: along half a cosine, in a line, or not at all.
    """

    steps: int
    batch_size: int
    learning_rate: float
    seed: int = 0
    warm_up: int = 200
    final_rate: float = 0.05
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    ema_decay: float = 0.999
    save_every_s: float = 120.0
    accumulate: int = 1
    schedule: Schedule = "cosine"

    @property
    def rows_per_step(self) -> int:
        return self.batch_size * self.accumulate

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rising = min(1.0, (step + 1) / max(1, self.warm_up))
        progress = min(1.0, step / max(1, self.steps))
        match self.schedule:
            case "cosine":
                left = 0.5 * (1 + math.cos(math.pi * progress))
            case "linear":
                left = 1 - progress
            case "constant":
                left = 1.0
        falling = self.final_rate + (1 - self.final_rate) * left
        return self.learning_rate * rising * falling


class Task(Protocol):
    """What is learnt: a module, the number of rows to learn from, and the loss of some of them."""

    @property
    def module(self) -> nn.Module: ...

    @property
    def rows(self) -> int: ...

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        """The terms of the loss for rows `indices`: [B]; `loss` is minimised, the others are recorded.

        Every random number must come from `draw`.
        """
        ...


@runtime_checkable
class AdversarialTask(Task, Protocol):
    """A task that follows the training's steps, and may train an adversary of its module along.

    `adversary` has an optimiser of its own, which minimises the term `adversary_loss` in steps that have one. Terms
    named in `measures` are recorded apart, because they are no parts of a loss.
    """

    @property
    def adversary(self) -> nn.Module | None: ...

    @property
    def measures(self) -> Collection[str]: ...

    def begin(self, step: int, draw: torch.Generator) -> None:
        """Called before step `step`, counted from 0, with the generator that the step's first loss goes on with."""
        ...


@dataclass(frozen=True)
class StepReport:
    """Handed to the listener after each step; `ema.applied(module)` lends the averaged weights, to sample with."""

    step: int
    steps: int
    losses: Mapping[str, float]
    rows_per_second: float
    ema: EMA
    history: History


Listener = Callable[[StepReport], None]


def step_generator(seed: int, step: int) -> torch.Generator:
    """The generator of one step's random numbers, on the CPU."""
    digest = hashlib.blake2b(f"{seed}:{step}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def batch_indices(rows: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Rows of a step's batch: [batch_size]. Every row comes once an epoch, in an order of the epoch's own."""
    start = step * batch_size
    indices: list[int] = []
    while len(indices) < batch_size:
        epoch, offset = divmod(start + len(indices), rows)
        order = torch.randperm(rows, generator=step_generator(seed, -1 - epoch))
        indices += map(int, order[offset : offset + batch_size - len(indices)])
    return torch.tensor(indices)


def fit(
    task: Task,
    settings: FitSettings,
    checkpoint: Path | None = None,
    on_step: Listener | None = None,
    device: torch.device | str = "cpu",
) -> tuple[EMA, History]:
    """Train, from the checkpoint where there is one.

    Args:
        task: Its module is trained in place, on `device`.
        checkpoint: Where the state is saved, every `save_every_s` seconds and at the end; resumed if it exists.
        on_step: Called after each step; may raise `Cancelled`, which saves the state and propagates.

    Returns:
        The averaged weights (`ema.applied(module)` lends them to the module) and the history.

    Raises:
        FileProblem: The checkpoint is of another training.
        FloatingPointError: The loss is not finite.
    """
    learners = [_learner("", task.module, settings, settings.betas, device)]
    if isinstance(task, AdversarialTask) and task.adversary is not None:
        learners.append(_learner("adversary", task.adversary, settings, ADVERSARY_BETAS, device))
    ema = EMA(task.module, settings.ema_decay)
    history = History()
    if checkpoint is not None and checkpoint.exists():
        history = restore_state(checkpoint, settings, learners, ema)
    resumed_at, saved_at = history.step, time.monotonic()
    try:
        while history.step < settings.steps:
            losses = _step(task, settings, learners, ema, history)
            if on_step is not None:
                rate = history.step * settings.rows_per_step / max(history.seconds, 1e-9)
                on_step(StepReport(history.step, settings.steps, losses, rate, ema, history))
            if checkpoint is not None and time.monotonic() - saved_at > settings.save_every_s:
                save_state(checkpoint, settings, learners, ema, history)
                saved_at = time.monotonic()
    finally:
        if checkpoint is not None and history.step > resumed_at:
            save_state(checkpoint, settings, learners, ema, history)
    task.module.eval()
    return ema, history


def _learner(
    name: str, module: nn.Module, settings: FitSettings, betas: tuple[float, float], device: torch.device | str
) -> Learner:
    module.to(device).train()
    # Fused: on a CPU one seventh of the time of the default, which was a tenth of a step of 16 latents.
    optimizer = torch.optim.AdamW(
        module.parameters(), settings.learning_rate, betas, weight_decay=settings.weight_decay, fused=True
    )
    return Learner(name, module, optimizer)


def _step(task: Task, settings: FitSettings, learners: list[Learner], ema: EMA, history: History) -> dict[str, float]:
    started = time.monotonic()
    for learner in learners:
        learner.begin(settings.rate(history.step))
    values: dict[str, float] = {}
    for part in range(settings.accumulate):
        # Each batch draws as a step of its own would, so with one batch a step nothing changes.
        number = history.step * settings.accumulate + part
        draw = step_generator(settings.seed, number)
        if part == 0 and isinstance(task, AdversarialTask):
            task.begin(history.step, draw)
        terms = task.loss(batch_indices(task.rows, settings.batch_size, settings.seed, number), draw)
        _learn(terms, learners, settings.accumulate, history.step)
        for name, value in terms.items():
            values[name] = values.get(name, 0.0) + float(value.detach()) / settings.accumulate
    for learner in learners:
        nn.utils.clip_grad_norm_(learner.module.parameters(), settings.clip)
        learner.optimizer.step()
    ema.update(task.module)
    measured = task.measures if isinstance(task, AdversarialTask) else ()
    for name, value in values.items():
        record = history.measures if name in measured else history.losses
        record.setdefault(name, []).append(value)
    history.measures.setdefault("learning rate", []).append(settings.rate(history.step))
    history.step += 1
    history.seconds += time.monotonic() - started
    return values


def _learn(terms: Mapping[str, Tensor], learners: list[Learner], share: int, step: int) -> None:
    """Add a batch's gradients, one of `share` in the step, each to the weights of its own learner only."""
    for learner in learners:
        loss = terms.get("adversary_loss" if learner.name else "loss")
        if loss is None:
            continue
        if not torch.isfinite(loss):
            value = float(loss.detach())
            raise FloatingPointError(f"the loss of step {step} is {value}; lower the learning rate and train again")
        parameters = [each for each in learner.module.parameters() if each.requires_grad]
        (loss / share).backward(inputs=parameters)
