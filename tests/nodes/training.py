"""What the tests of training share: settings of a small autoencoder, a stopping user, and what a training left."""

from __future__ import annotations

import json
from typing import Any

from engine.ldm.weights import open_model
from engine.node import NullContext
from engine.values import Image

COLOURS = {"red square": (255, 0, 0), "green square": (0, 255, 0), "blue square": (0, 0, 255), "grey": (128, 128, 128)}
AUTOENCODER: dict[str, Any] = {
    "name": "small", "channels": 8, "channel_mult": "1,2", "norm_groups": 4, "steps": 3, "batch_size": 2
}  # fmt: skip


class Stopping(NullContext):
    """The user asks to stop after some steps."""

    def __init__(self, ctx: NullContext, after: int) -> None:
        super().__init__(ctx.folders)
        self.inner, self.after, self.steps = ctx, after, list[int]()

    def progress(self, step: int, total: int, text: str = "") -> None:
        self.steps.append(step)
        self.cancelled = step == self.after

    def service(self, kind: type[Any]) -> Any:
        return self.inner.service(kind)


def recorded(ctx: NullContext, name: str) -> dict[str, dict[str, list[float]]]:
    """What the state of a training remembers of its steps."""
    file = open_model(ctx.folders.output / "training" / f"{name}.state.safetensors")
    return json.loads(json.loads(file.metadata["darkroom.training"])["history"])


class Telling(NullContext):
    """Keeps what progress says."""

    def __init__(self, ctx: NullContext) -> None:
        super().__init__(ctx.folders)
        self.inner, self.words = ctx, list[str]()

    def progress(self, step: int, total: int, text: str = "") -> None:
        self.words.append(text)

    def service(self, kind: type[Any]) -> Any:
        return self.inner.service(kind)


def losses(ctx: NullContext, name: str) -> dict[str, list[float]]:
    """What the state of a training remembers of its losses."""
    return recorded(ctx, name)["losses"]


def assert_is_a_curve(image: Image) -> None:
    assert image.pixels.shape[0] == 1 and image.pixels.shape[-1] == 3
    assert image.pixels.min() >= 0 and image.pixels.max() <= 1
    assert len(image.pixels.flatten(0, 2).unique(dim=0)) > 10  # ground, grid, words and lines
