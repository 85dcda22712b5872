"""The state of a training, saved and restored exactly: weights, averages, optimisers and what was recorded.

A file holds `module.*`, `ema.*` and `optimizer.<parameter>.*`; a second learner's are `adversary.module.*` and
`adversary.optimizer.*`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from engine.errors import FileProblem
from engine.ldm.training.ema import EMA
from engine.ldm.weights import open_model, save_model

if TYPE_CHECKING:
    from engine.ldm.training.loop import FitSettings

KEY = "darkroom.training"


@dataclass
class History:
    """What was recorded, by name, one value for each step; `seconds` is training time so far.

    `measures` are no parts of a loss: the learning rate, and what a task measures. They may begin later than losses.
    """

    step: int = 0
    seconds: float = 0.0
    losses: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    measures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])


@dataclass(frozen=True)
class Learner:
    """A network and its optimiser. `name` is empty for the one that the training is for."""

    name: str
    module: nn.Module
    optimizer: torch.optim.Optimizer

    @property
    def prefix(self) -> str:
        return f"{self.name}." if self.name else ""

    def begin(self, rate: float) -> None:
        """Make ready for a step at this learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)


def save_state(path: Path, settings: FitSettings, learners: Sequence[Learner], ema: EMA, history: History) -> None:
    """Write everything that the next step depends on."""
    tensors = {f"ema.{name}": value for name, value in ema.state_dict().items()}
    for learner in learners:
        for name, value in learner.module.state_dict().items():
            tensors[f"{learner.prefix}module.{name}"] = value
        for name, parameter in learner.module.named_parameters():
            for part, value in learner.optimizer.state[parameter].items():
                tensors[f"{learner.prefix}optimizer.{name}.{part}"] = value
    state = {"settings": json.dumps(asdict(settings)), "history": json.dumps(asdict(history))}
    save_model(path, tensors, {KEY: json.dumps(state)})


def restore_state(path: Path, settings: FitSettings, learners: Sequence[Learner], ema: EMA) -> History:
    """Go on where `save_state` left off. An adversary that the file knows nothing of begins anew.

    Raises:
        FileProblem: the file is no training state, or one of other networks or batches.
    """
    file = open_model(path)
    if KEY not in file.metadata:
        raise FileProblem(f"{path} holds no state of training; name another file to save to")
    state = json.loads(file.metadata[KEY])
    changed = _changed(json.loads(state["settings"]), settings)
    tensors = file.tensors()
    known = [learner for learner in learners if not learner.name or _below(tensors, f"{learner.prefix}module.")]
    other = any(
        _shapes(learner.module.state_dict()) != _shapes(_below(tensors, f"{learner.prefix}module."))
        for learner in known
    )
    if changed or other:
        what = f"other {' and '.join(changed)}" if changed else "another network"
        raise FileProblem(f"{path} was trained with {what}; name another file to save to, or delete it to start anew")
    for learner in known:
        _restore(learner, tensors)
    ema.load_state_dict(_below(tensors, "ema."))
    return History(**json.loads(state["history"]))


def _changed(then: Mapping[str, Any], settings: FitSettings) -> list[str]:
    """What steps are numbered and drawn by and is not as it was. States of before there was accumulation had none."""
    now = asdict(settings)
    return [name for name in ("batch_size", "accumulate", "seed") if then.get(name, 1) != now[name]]


def _restore(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    learner.module.load_state_dict(_below(tensors, f"{learner.prefix}module."))
    for name, parameter in learner.module.named_parameters():
        parts = _below(tensors, f"{learner.prefix}optimizer.{name}.")
        if not parts:  # never had a gradient
            continue
        # Adam keeps `step` on the CPU and the moments beside the parameter; clones, because the file is memory-mapped.
        learner.optimizer.state[parameter] = {
            part: parts[part].clone().to("cpu" if part == "step" else parameter.device)
            for part in ("step", "exp_avg", "exp_avg_sq")
        }


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}
