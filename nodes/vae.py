"""Pixels to latents and back."""

from __future__ import annotations

from engine.errors import InputProblem
from engine.models.handles import VAE
from engine.models.manager import ModelManager
from engine.models.needs import decoding_bytes
from engine.node import Context, node
from engine.values import Image, Latent


@node(category="latent", title="VAE Encode", lane="device")
def VAEEncode(pixels: Image, vae: VAE, ctx: Context) -> Latent:
    """Turn a picture into a latent.

    Args:
        pixels: The picture; its edges are cut so that its sides divide into the latent's cells.
        vae: The autoencoder of the model that will sample.
    """
    factor = vae.config.downsampling
    _, height, width, _ = pixels.pixels.shape
    if min(height, width) < factor:
        raise InputProblem(
            f"the picture has {width}x{height} pixels, this VAE takes at least {factor} a side; enlarge it first",
            "pixels",
        )
    top, left = height % factor // 2, width % factor // 2
    x = pixels.pixels[:, top : top + height // factor * factor, left : left + width // factor * factor, :3]
    x = x.movedim(-1, 1) * 2 - 1  # [B, 3, H, W] in [-1, 1]
    manager = ctx.service(ModelManager)
    return Latent(manager.run(vae, lambda network: network.encode_mode(x.to(manager.device.torch_device))).cpu())


@node(category="latent", title="VAE Decode", lane="device")
def VAEDecode(samples: Latent, vae: VAE, ctx: Context) -> Image:
    """Develop a latent into a picture.

    Args:
        samples: The latent to develop.
        vae: The autoencoder of the model that made it.
    """
    channels = samples.samples.shape[1]
    if channels != vae.config.embed_dim:
        raise InputProblem(
            f"the latent has {channels} channels, this VAE decodes {vae.config.embed_dim}; use the VAE of the model "
            "that made the latent",
            "samples",
        )
    manager = ctx.service(ModelManager)
    count, _, *cells = samples.samples.shape
    height, width = (side * vae.config.downsampling for side in cells)
    manager.expect(decoding_bytes(vae.config, count, height, width), f"decode {count} pictures of {width}x{height}")
    x = manager.run(vae, lambda network: network.decode(samples.samples.to(manager.device.torch_device))).cpu()
    return Image(((x + 1) / 2).clamp(0, 1).movedim(1, -1).contiguous())  # [B, H, W, 3]
