"""Keep a codebook in use while it is learnt.

Only entries that are some cell's nearest get a gradient, so those that begin far from all cells stay there. At the
start and every so many steps, entries that no cell of some batches chose are moved onto cells of those batches.

Source: random restarts of Jukebox (Dhariwal et al. 2020, arXiv:2005.00341, sec. 3.1). The original has none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.ldm.autoencoder import VQModel
from engine.ldm.training.autoencoder_loss import codebook_use
from engine.ldm.training.pictures import PictureSet


@torch.no_grad()
def restart_unused(model: VQModel, pictures: Tensor, draw: torch.Generator) -> int:
    """Move the entries that no cell of `pictures` is nearest to onto cells chosen by chance.

    Args:
        pictures: [B, 3, H, W] in [-1, 1], on the model's device.

    Returns:
        How many were moved; at most as many as there are cells.
    """
    z = model.encode_mode(pictures)
    indices = model.quantize(z).indices
    entries = model.quantize.embedding.weight
    unused = (torch.bincount(indices.flatten(), minlength=len(entries)) == 0).nonzero()[:, 0]
    cells = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])  # [B*h*w, C]
    chosen = torch.randperm(len(cells), generator=draw)[: len(unused)].to(cells.device)
    entries[unused[: len(chosen)]] = cells[chosen]
    return len(chosen)


@torch.inference_mode()
def measure_use(model: VQModel, pictures: PictureSet, batch_size: int = 32) -> dict[str, float]:
    """How a whole data set uses the codebook: its entries, how many are used, and the perplexity of their use."""
    device = next(model.parameters()).device
    entries = model.quantize.embedding.num_embeddings
    rows = torch.arange(len(pictures))
    parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    indices = torch.cat([model.encode(pictures.batch(part).to(device)).indices.cpu() for part in parts])
    perplexity, used = codebook_use(indices, entries)
    return {"entries": entries, "used": int(used), "perplexity": round(float(perplexity), 1)}
