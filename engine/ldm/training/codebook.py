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

CHUNK = 4
"""Pictures at a time, since each cell's distances to all entries are in memory at once."""


@torch.no_grad()
def restart_unused(model: VQModel, pictures: Tensor, draw: torch.Generator) -> int:
    """Move the entries that no cell of `pictures` is nearest to onto cells chosen by chance.

    Args:
        pictures: [B, 3, H, W] in [-1, 1], on the model's device.

    Returns:
        How many were moved; at most as many as there are cells.
    """
    entries = model.quantize.embedding.weight
    uses = torch.zeros(len(entries), device=entries.device)
    cells: list[Tensor] = []
    for start in range(0, len(pictures), CHUNK):
        z = model.encode_mode(pictures[start : start + CHUNK])
        uses += torch.bincount(model.quantize(z).indices.flatten(), minlength=len(entries))
        cells.append(z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]))  # [CHUNK*h*w, C]
    unused = (uses == 0).nonzero()[:, 0]
    found = torch.cat(cells)
    chosen = torch.randperm(len(found), generator=draw)[: len(unused)].to(found.device)
    entries[unused[: len(chosen)]] = found[chosen]
    return len(chosen)


@torch.inference_mode()
def measure_use(model: VQModel, pictures: PictureSet) -> dict[str, float]:
    """How a whole data set uses the codebook: its entries, how many are used, and the perplexity of their use."""
    device = next(model.parameters()).device
    entries = model.quantize.embedding.num_embeddings
    rows = torch.arange(len(pictures))
    parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    indices = torch.cat([model.encode(pictures.batch(part).to(device)).indices.cpu() for part in parts])
    perplexity, used = codebook_use(indices, entries)
    return {"entries": entries, "used": int(used), "perplexity": round(float(perplexity), 1)}
