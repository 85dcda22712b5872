"""Memory that a request needs at the very least, known before it runs (promise S10).

Only what must be alive at one moment is counted, so a request that is refused could not have run, and one that is not
may still run out. Importable without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.ldm.autoencoder import AutoencoderConfig
    from engine.ldm.unet import UNetConfig

_FLOAT32 = 4


def decoding_bytes(config: AutoencoderConfig, pictures: int, height: int, width: int) -> int:
    """What decoding needs: at full size, what goes into a convolution, what comes out, and what is added to that.

    Args:
        height, width: of the pictures, in pixels.
    """
    return 3 * _FLOAT32 * pictures * config.ch * config.ch_mult[0] * height * width


def sampling_bytes(config: UNetConfig, latents: int, height: int, width: int, bytes_per_number: int) -> int:
    """What one forward pass needs in the middle of the U-Net: all that its first half left for the second.

    Args:
        height, width: of the latents, in cells.
        bytes_per_number: of the U-Net's numbers.
    """
    kept, cells = 0, float(height * width)
    for level, multiplier in enumerate(config.channel_mult):
        first = config.model_channels if level == 0 else config.model_channels * config.channel_mult[level - 1]
        # What enters the level (the first convolution, or the smaller picture of the level before), and its blocks.
        kept += int(cells) * (first + config.num_res_blocks * config.model_channels * multiplier)
        cells /= 4
    return bytes_per_number * latents * kept
