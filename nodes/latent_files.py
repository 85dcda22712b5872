"""Latents to files and back, in ComfyUI's format."""

from __future__ import annotations

from typing import Annotated

from engine.errors import ModelFileError
from engine.node import Context, File, FilenamePrefix, Shown, node
from engine.values import Latent

InputLatent = Annotated[str, File("input")]
TENSOR, VERSION = "latent_tensor", "latent_format_version_0"
"""Names in a file: the latents, and an empty tensor that says that they are not scaled."""
OLD_SCALE = 0.18215
"""What latents were multiplied by before files said so; Stable Diffusion's scale factor (arXiv:2112.10752, app. G)."""


@node(category="latent/files", title="Save Latent", output=True)
def SaveLatent(samples: Latent, ctx: Context, filename_prefix: FilenamePrefix = "latents/Darkroom") -> Shown:
    """Save latents to the output folder, to go on with them another time. ComfyUI reads the file.

    Args:
        samples: The latents, one file for all of them.
        filename_prefix: Start of the file name; may hold folders and %date:yyyy-MM-dd%.
    """
    import torch

    from engine.ldm.weights import tensor_bytes

    tensors = {TENSOR: samples.samples, VERSION: torch.tensor([])}
    texts = {"prompt": ctx.prompt_json, "workflow": ctx.workflow_json}
    data = tensor_bytes(tensors, {key: text for key, text in texts.items() if text is not None})
    path = ctx.folders.save(data, filename_prefix, ".latent")
    return Shown(ui={"latents": [{"path": str(path)}]})


@node(category="latent/files", title="Load Latent")
def LoadLatent(latent: InputLatent, ctx: Context) -> Latent:
    """Load latents from the input folder.

    Args:
        latent: A file of Save Latent or ComfyUI (.latent), or a .safetensors with one tensor in it.
    """
    import torch

    from engine.ldm.weights import open_model

    file = open_model(ctx.folders.resolve("input", latent))
    names = [name for name in file.header.tensors if name != VERSION]
    if TENSOR not in names and len(names) != 1:
        raise ModelFileError(f"{latent} has {len(names)} tensors and none called {TENSOR!r}; keep one latent in a file")
    samples = file.tensor(TENSOR if TENSOR in names else names[0]).to(torch.float32, copy=True)
    old = TENSOR in names and VERSION not in file.header.tensors
    return Latent(samples / OLD_SCALE if old else samples)
