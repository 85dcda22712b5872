"""Large pictures in overlapping patches: run a network on each patch, blend where they overlap.

A network sees patches of the size it was trained on, so memory does not grow with the picture. Each patch counts most
in its middle and least at its border.

Source: `get_fold_unfold`, `get_weighting`, `delta_border` of CompVis/latent-diffusion, ldm/models/diffusion/ddpm.py
(`split_input_params`). There, sides that the stride does not reach are left undefined; here a last patch lies flush
with the border.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.errors import InputProblem
from engine.ldm.conditioners.layout import LayoutTokenizer


@dataclass(frozen=True)
class Patch:
    """One patch: its top-left corner in cells, its weight among all patches, its place as shares of the whole."""

    y: int
    x: int
    weight: float
    rectangle: tuple[float, float, float, float]


@dataclass(frozen=True)
class PatchGrid:
    """How a picture is cut. The original's values for f = 4 are patches of 128 cells every 64.

    `size`, `stride`: (height, width) in cells. A cell's weight is its distance to the patch's border, as a share, held
    to [`least`, `most`]. `favour_middle` weighs whole patches the same way by their place in the grid ("tie_braker").
    """

    size: tuple[int, int] = (128, 128)
    stride: tuple[int, int] = (64, 64)
    least: float = 0.01
    most: float = 0.5
    favour_middle: bool = False
    least_of_patch: float = 0.01
    most_of_patch: float = 0.5

    def patches(self, height: int, width: int) -> list[Patch]:
        """Cut a map of [height, width] cells, row by row.

        Raises:
            InputProblem: the map is smaller than a patch.
        """
        if height < self.size[0] or width < self.size[1]:
            raise InputProblem(f"map is {width}x{height}, smaller than the patches of {self.size[1]}x{self.size[0]}")
        rows, columns = _starts(height, self.size[0], self.stride[0]), _starts(width, self.size[1], self.stride[1])
        weights = border_distance(len(rows), len(columns)).clamp(self.least_of_patch, self.most_of_patch)
        return [
            Patch(
                y,
                x,
                float(weights[i, j]) if self.favour_middle else 1.0,
                (x / width, y / height, self.size[1] / width, self.size[0] / height),
            )
            for i, y in enumerate(rows)
            for j, x in enumerate(columns)
        ]

    def within(self, height: int, width: int) -> PatchGrid:
        """The same grid for a map that may be smaller than a patch: then one patch is as long as the map."""
        return replace(self, size=(min(self.size[0], height), min(self.size[1], width)))

    def cell_weights(self, height: int, width: int) -> Tensor:
        """Weights of the cells of one patch, [height, width]."""
        return border_distance(height, width).clamp(self.least, self.most)

    def run(self, x: Tensor, network: Callable[[Tensor, int], Tensor]) -> Tensor:
        """Run a network on every patch of a map and blend the answers.

        Args:
            x: [B, C, h, w].
            network: (patch [B, C, *size], its number) -> [B, C', h', w'], scaled alike for all patches.

        Returns:
            [B, C', h s, w s], s the network's scale (1 for a U-Net, f for a decoder, 1/f for an encoder).
        """
        total = normalization = weights = torch.zeros(0)
        for number, patch in enumerate(self.patches(x.shape[-2], x.shape[-1])):
            y, left = patch.y, patch.x
            answer = network(x[..., y : y + self.size[0], left : left + self.size[1]], number)
            if number == 0:
                sides = [
                    _scaled(side, answer.shape[i], self.size[i]) for i, side in ((-2, x.shape[-2]), (-1, x.shape[-1]))
                ]
                total = answer.new_zeros(*answer.shape[:2], *sides)
                normalization = answer.new_zeros(1, 1, *sides)
                weights = self.cell_weights(answer.shape[-2], answer.shape[-1]).to(answer)
            top, start = _scaled(y, answer.shape[-2], self.size[0]), _scaled(left, answer.shape[-1], self.size[1])
            place = (..., slice(top, top + answer.shape[-2]), slice(start, start + answer.shape[-1]))
            total[place] += patch.weight * weights * answer
            normalization[place] += patch.weight * weights
        return total / normalization


@dataclass(frozen=True)
class PatchedNetwork:
    """A U-Net that works in patches, called as a U-Net. `contexts` gives each patch its own, in the grid's order."""

    network: Callable[..., Tensor]
    grid: PatchGrid
    contexts: tuple[Tensor, ...] | None = None

    def __call__(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        """Arguments and answer as those of a U-Net."""
        return self.grid.run(
            x,
            lambda patch, number: self.network(
                patch, timesteps, context if self.contexts is None else self.contexts[number], y
            ),
        )


def layout_patch_tokens(tokens: Tensor, tokenizer: LayoutTokenizer, patch: Patch) -> Tensor:
    """Tell a layout model which part it paints: tokens [B, T] with the crop's two replaced by those of the patch.

    Raises:
        InputProblem: the tokenizer keeps no crop.
    """
    if not tokenizer.encode_crop:
        raise InputProblem("this layout tokenizer keeps no crop, so its model cannot paint in patches")
    corners = torch.tensor(tokenizer.corner_tokens(patch.rectangle), dtype=tokens.dtype, device=tokens.device)
    return torch.cat([tokens[:, :-2], corners.expand(len(tokens), 2)], dim=1)


def border_distance(height: int, width: int) -> Tensor:
    """Distance of every cell to the nearest border, as a share of the side: 0 at the border, at most 0.5. [h, w]."""
    shares = [torch.arange(side) / max(side - 1, 1) for side in (height, width)]
    y, x = torch.meshgrid(*shares, indexing="ij")
    return torch.stack([y, x, 1 - y, 1 - x]).amin(dim=0)


def _starts(side: int, size: int, stride: int) -> list[int]:
    starts = list(range(0, side - size + 1, stride))
    return starts if starts[-1] == side - size else [*starts, side - size]


def _scaled(length: int, answer: int, size: int) -> int:
    return length * answer // size
