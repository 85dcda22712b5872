"""Picture files to pixels and back: PNG with the workflow inside, previews, resizing.

Must not import the graph column; imports torch and Pillow only when called.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.errors import InputProblem
from engine.pictures import eight_bits, has_alpha, open_picture

if TYPE_CHECKING:
    from torch import Tensor

ResizeMethod = Literal["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]


def read_picture(path: Path) -> tuple[Tensor, Tensor]:
    """Read pixels [1, H, W, 3] in [0, 1], and a mask [1, H, W] of 1 - alpha ([1, 64, 64] of zeros without alpha).

    Raises:
        FileProblem: As `open_picture`.
    """
    import numpy as np
    import torch

    picture = eight_bits(open_picture(path))
    rgba = torch.from_numpy(np.array(picture.convert("RGBA"), dtype=np.float32) / 255.0)  # [H, W, 4]
    mask = 1.0 - rgba[None, :, :, 3] if has_alpha(picture) else torch.zeros(1, 64, 64)
    return rgba[None, :, :, :3].contiguous(), mask


def encode_png(pixels: Tensor, texts: Mapping[str, str]) -> bytes:
    """Encode one picture, with text chunks (`prompt`, `workflow`).

    255 * pixels is truncated, not rounded, as ComfyUI and the original do. Run-length zlib at level 1 is about twice as
    fast as the default at the same size (promise P12).

    Args:
        pixels: [H, W, C] in [0, 1], clamped; C = 3 or 4.
    """
    from PIL import Image, PngImagePlugin

    array = (pixels.clamp(0, 1) * 255).byte().cpu().numpy()
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", pnginfo=info, compress_level=1, compress_type=3)
    return buffer.getvalue()


def encode_jpeg(pixels: Tensor, largest_side: int = 512, quality: int = 80) -> bytes:
    """Encode a preview: [H, W, 3] in [0, 1], made smaller than `largest_side` pixels a side."""
    from PIL import Image

    picture = Image.fromarray((pixels.clamp(0, 1) * 255).byte().cpu().numpy())
    picture.thumbnail((largest_side, largest_side))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def resize(pixels: Tensor, method: ResizeMethod, width: int, height: int, centre_crop: bool = False) -> Tensor:
    """Resize [B, H, W, C] to `width` x `height`; a side of 0 follows the proportions.

    `area` averages, `lanczos` goes through 8 bits (Pillow), the others do not antialias, as in ComfyUI.

    Raises:
        InputProblem: Both sides are 0.
    """
    import numpy as np
    import torch
    import torch.nn.functional as F
    from PIL import Image

    _, old_height, old_width, _ = pixels.shape
    if width == 0 and height == 0:
        raise InputProblem("width and height are both 0; give at least one side", "width")
    width = width or max(1, round(old_width * height / old_height))
    height = height or max(1, round(old_height * width / old_width))
    if centre_crop:
        pixels = _crop_to_ratio(pixels, width / height)
    if method == "lanczos":
        bytes_ = (pixels.clamp(0, 1) * 255).byte().cpu().numpy()
        resized = [Image.fromarray(row).resize((width, height), Image.Resampling.LANCZOS) for row in bytes_]
        return torch.from_numpy(np.stack([np.asarray(picture) for picture in resized])).float() / 255.0
    planes = pixels.movedim(-1, 1)  # [B, C, H, W]
    return F.interpolate(planes, size=(height, width), mode=method).movedim(1, -1).contiguous()


def _crop_to_ratio(pixels: Tensor, ratio: float) -> Tensor:
    _, height, width, _ = pixels.shape
    if width / height > ratio:
        margin = round((width - height * ratio) / 2)
        return pixels[:, :, margin : width - margin]
    margin = round((height - width / ratio) / 2)
    return pixels[:, margin : height - margin]
