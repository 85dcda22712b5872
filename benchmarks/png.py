"""PNG: what saving a picture costs, beside the compression level that ComfyUI uses."""

from __future__ import annotations

import io

import torch
from PIL import Image

from benchmarks.row import Row, at_least, cpu_seconds, shown
from engine.pixels import encode_png

SIDE = 1024


def rows() -> list[Row]:
    """Encode a picture like a painting or photograph: smooth shapes with a little grain."""
    pixels = picture()

    def level_4() -> bytes:
        buffer = io.BytesIO()
        Image.fromarray((pixels.clamp(0, 1) * 255).byte().numpy()).save(buffer, "PNG", compress_level=4)
        return buffer.getvalue()

    ours, theirs = cpu_seconds(lambda: encode_png(pixels, {})), cpu_seconds(level_4)
    return [
        at_least(f"{SIDE}x{SIDE} against level 4", "P12", theirs / ours, 2, "x"),
        shown("size against level 4", len(encode_png(pixels, {})) / len(level_4()), "x"),
        shown("milliseconds of CPU", ours * 1000, "ms"),
    ]


def picture() -> torch.Tensor:
    """[1024, 1024, 3] in [0, 1]: octaves of smooth noise, as pictures have, and grain of one grey level."""
    draw = torch.Generator().manual_seed(0)
    total = torch.zeros(1, 3, SIDE, SIDE)
    for octave in range(1, 7):
        coarse = torch.randn(1, 3, 2**octave, 2**octave, generator=draw) / 2**octave
        total += torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")
    total += torch.randn(1, 1, SIDE, SIDE, generator=draw) / 255
    return total.sub(total.min()).div(total.max() - total.min())[0].permute(1, 2, 0).contiguous()
