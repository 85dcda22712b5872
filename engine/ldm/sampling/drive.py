"""Run samplings: gather what their denoisers ask, answer what fits together in one forward pass, send answers back.

`sample` makes one latent; `drive` runs many samplings side by side to the end; `advance` is one round of that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.ldm.sampling.noise import SeededNoise, from_vp, initial_noise, noised, to_vp
from engine.ldm.sampling.protocol import Call, Calls, Denoiser, Evaluation, Sampler, Steps
from engine.ldm.sampling.samplers import euler
from engine.ldm.schedules import NoiseSchedule

Sampling = Generator[Calls, Sequence[Tensor], Tensor]
"""A sampler and its denoiser together: yields network calls, is sent their outputs, returns the final latent."""

OnStep = Callable[[int, Tensor, Tensor], None]
"""Told at each step its index from 0, x, and the denoised latent, which makes a preview."""

Relieve = Callable[[Exception], bool]
"""Told of a forward pass that failed; frees memory if that was the reason, and says whether to try again."""

MAX_ROWS = 16
"""Rows of one forward pass at most: eight pictures with guidance. Bounds the memory a crowd can ask for."""

CPU_CELLS = 8 * 32 * 32
"""Cells of all rows of a pass at most on the CPU, from two rows on: more leave the processor's cache. Measured with a
U-Net of 10 M parameters against pairs: 8 rows of 32x32 cells are 1.13 times as fast, 16 rows of 64x64 only 0.85."""


def sample(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sigmas: Sequence[float],
    latent: Tensor,
    seed: int,
    sampler: Sampler = euler,
    on_step: OnStep | None = None,
) -> Tensor:
    """Make one latent (or a batch of them), alone.

    Args:
        sigmas: Falling; see `sampler_sigmas` and `ldm_sigmas`. Empty leaves the latent as it is.
        latent: [B, C, h, w], scaled by the model's scale factor: zeros to start from nothing, or a picture to change.

    Returns:
        Like `latent`.
    """
    (result,) = drive([begin(denoiser, schedule, sigmas, latent, seed, sampler, on_step)])
    if isinstance(result, Exception):
        raise result
    return result


def begin(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sigmas: Sequence[float],
    latent: Tensor,
    seed: int,
    sampler: Sampler = euler,
    on_step: OnStep | None = None,
    batch_index: Sequence[int] | None = None,
) -> Sampling:
    """Prepare the sampling that `sample` runs; arguments as there, and `batch_index` as for `initial_noise`."""
    if len(sigmas) < 2:
        return _nothing_to_do(latent)
    noise = initial_noise(latent.shape, seed, batch_index).to(latent.device, latent.dtype)
    x = noised(latent, noise, sigmas[0], schedule.sigma_max)
    return sampling(sampler(x, sigmas, SeededNoise(latent, seed)), denoiser, on_step)


def begin_ldm(
    denoiser: Denoiser,
    schedule: NoiseSchedule,
    sigmas: Sequence[float],
    latent: Tensor,
    seed: int,
    sampler: Sampler = euler,
    on_step: OnStep | None = None,
    batch_index: Sequence[int] | None = None,
) -> Sampling:
    """Prepare a sampling as LDM's scripts do it, for `ldm_sigmas`; arguments as `begin`.

    With nothing to change (a latent of zeros) it starts from pure noise of unit variance, whatever the first sigma; and
    what is left at the end of LDM's list, at sigma(t = 0), counts as the latent.

    Source: CompVis/latent-diffusion, scripts/txt2img.py, img2img.py.
    """
    if len(sigmas) < 2:
        return latent
    noise = initial_noise(latent.shape, seed, batch_index).to(latent.device, latent.dtype)
    x = latent + noise * sigmas[0] if latent.any() else from_vp(noise, sigmas[0])
    result = yield from sampling(sampler(x, sigmas, SeededNoise(latent, seed)), denoiser, on_step)
    return to_vp(result, sigmas[-1]) if sigmas[-1] == schedule.sigma_min else result


def sampling(steps: Steps, denoiser: Denoiser, on_step: OnStep | None = None) -> Sampling:
    """Let a denoiser answer a sampler."""
    reported = -1
    evaluation = _resume(steps, None)
    while isinstance(evaluation, Evaluation):
        denoised = yield from denoiser(evaluation.x, evaluation.sigma)
        if on_step is not None and evaluation.step > reported:
            reported = evaluation.step
            on_step(reported, evaluation.x, denoised)
        evaluation = _resume(steps, denoised)
    return evaluation


def drive(samplings: Iterable[Sampling], max_rows: int = MAX_ROWS) -> list[Tensor | Exception]:
    """Run samplings to the end, side by side; one that fails leaves the others alone.

    Returns:
        For each its latent, or what it raised.
    """
    live = [Live(each) for each in samplings]
    while pending := [each for each in live if each.outcome is None]:
        advance(pending, max_rows)
    return [each.outcome for each in live if each.outcome is not None]


@dataclass(eq=False)
class Live:
    """A sampling under way: the calls it waits for, and in the end its latent or what it raised."""

    sampling: Sampling
    calls: Calls | None = None
    outcome: Tensor | Exception | None = None

    def start(self) -> None:
        if self.calls is None and self.outcome is None:
            self._resume(lambda: next(self.sampling))

    def send(self, outputs: Sequence[Tensor | Exception]) -> None:
        failure = next((output for output in outputs if isinstance(output, Exception)), None)
        if failure is not None:
            self._resume(lambda: self.sampling.throw(failure))
        else:
            answers = [output for output in outputs if isinstance(output, Tensor)]
            self._resume(lambda: self.sampling.send(answers))

    def stop(self, reason: Exception) -> None:
        """End it here: what it holds is released, `reason` is its outcome."""
        if self.outcome is None:
            self._resume(lambda: self.sampling.throw(reason))
            self.outcome = reason

    def _resume(self, go_on: Callable[[], Calls]) -> None:
        try:
            self.calls = go_on()
        except StopIteration as finished:
            with torch.inference_mode(False):
                self.outcome = finished.value.clone()  # an ordinary tensor, which may be trained on
        except Exception as error:  # belongs to this sampling alone; whoever waits for it raises it
            self.outcome = error


def advance(live: Sequence[Live], max_rows: int = MAX_ROWS, relieve: Relieve | None = None) -> None:
    """Answer every pending call once: one step of everything that has no outcome yet."""
    with torch.inference_mode():
        for each in live:
            each.start()
        asking = [each for each in live if each.outcome is None and each.calls is not None]
        outputs = iter(answer([call for each in asking for call in each.calls or ()], max_rows, relieve))
        for each in asking:
            each.send([next(outputs) for _ in each.calls or ()])


def answer(calls: Sequence[Call], max_rows: int = MAX_ROWS, relieve: Relieve | None = None) -> list[Tensor | Exception]:
    """Run the network for each call, sharing a forward pass between calls whose shapes agree.

    A pass that fails is repeated in halves, so that a crowd too large for memory still gets through, and a call that is
    at fault fails alone. Before it does, `relieve` is told; if it says so, the call is tried once more.

    Returns:
        For each call the network's output, or what it raised.
    """
    groups: dict[object, list[int]] = {}
    for i, call in enumerate(calls):
        groups.setdefault(_shape(call), []).append(i)
    outputs: dict[int, Tensor | Exception] = {}
    for members in groups.values():
        for some in _chunks(members, _calls_at_once(calls[members[0]].x, max_rows)):
            outputs.update(zip(some, _forward([calls[i] for i in some], relieve), strict=True))
    return [outputs[i] for i in range(len(calls))]


def _forward(calls: Sequence[Call], relieve: Relieve | None) -> Sequence[Tensor | Exception]:
    try:
        return _batch(calls)
    except Exception as error:
        failure = error
    if len(calls) > 1:
        half = len(calls) // 2
        return [*_forward(calls[:half], relieve), *_forward(calls[half:], relieve)]
    if relieve is not None and relieve(failure):
        return _forward(calls, None)
    return [failure]


def _batch(calls: Sequence[Call]) -> Sequence[Tensor]:
    """Stack calls of one shape, run the network, split its output."""
    first = calls[0]
    rows = [call.x.shape[0] for call in calls]
    output = first.network(
        _stack([call.x for call in calls], rows),
        # filled on the device: a copy of numbers from the host would wait for everything queued there
        _stack([torch.full((call.x.shape[0],), float(call.t), device=call.x.device) for call in calls], rows),
        context=None if first.context is None else _stack([call.context for call in calls], rows),
        y=None if first.y is None else _stack([call.y for call in calls], rows),
    )
    return torch.split(output, rows) if len(calls) > 1 else [output]


def _stack(parts: Sequence[Tensor | None], rows: Sequence[int]) -> Tensor:
    """Concatenate parts; a part of one row serves all rows of its call."""
    whole = [part.expand(n, *part.shape[1:]) for part, n in zip(parts, rows, strict=True) if part is not None]
    return torch.cat(whole) if len(whole) > 1 else whole[0]


def _shape(call: Call) -> object:
    """What must agree for two calls to share a pass: network, shapes but for the rows, dtypes."""
    tensors = (call.x, call.context, call.y)
    return id(call.network), *(None if tensor is None else (tensor.shape[1:], tensor.dtype) for tensor in tensors)


def _calls_at_once(x: Tensor, max_rows: int) -> int:
    """How many calls with this x may share a pass."""
    rows, _, height, width = x.shape
    if x.device.type == "cpu":
        max_rows = min(max_rows, max(CPU_CELLS // (height * width), 2))
    return max(max_rows // rows, 1)


def _chunks(items: Sequence[int], size: int) -> list[Sequence[int]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _resume(steps: Steps, denoised: Tensor | None) -> Evaluation | Tensor:
    """The sampler's next evaluation, or its result."""
    try:
        return next(steps) if denoised is None else steps.send(denoised)
    except StopIteration as finished:
        return finished.value


def _nothing_to_do(latent: Tensor) -> Sampling:
    return latent
    yield  # makes this a sampling
