"""Measure the embedded model and draw what docs/embedded-model.md shows.

    python models/embedded/evaluate.py [--captions 200] [--steps 50]

Reconstruction: PSNR and SSIM of the autoencoder on the pictures it was trained on. Prompt retrieval: a picture is
generated for a caption; is that caption's picture among the nearest training pictures, by Euclidean distance between
autoencoder latents? The guidance scale is chosen on other captions.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.ldm.checkpoint import load_latent_diffusion
from engine.ldm.condition import Condition
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.sampling.denoisers import Guided, VDenoiser
from engine.ldm.sampling.drive import begin_ldm, drive
from engine.ldm.sampling.sigmas import ldm_sigmas
from engine.ldm.sampling.vp import ddim
from engine.ldm.training.pictures import PictureSet, load_pictures
from engine.ldm.weights import open_model

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "models/checkpoints/darkroom-emoji-64.safetensors"
DATA = ROOT / "input/fluent-emoji"
GROUPS = ("animals-nature", "food-drink")
SCALES = (1.0, 2.0, 3.0, 5.0)
UNSEEN = (
    "a blue strawberry",
    "green elephant",
    "purple banana",
    "red frog",
    "pink tree",
    "orange whale",
    "golden apple",
    "green cake",
    "black rose",
    "yellow dolphin",
    "purple cat face",
    "red avocado",
    "blue bread",
    "green rabbit",
    "pink broccoli",
    "brown lemon",
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--captions", type=int, default=200)
    arguments.add_argument("--steps", type=int, default=50)
    arguments.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    arguments.add_argument("--output", type=Path, default=ROOT / "docs/images")
    chosen = arguments.parse_args()
    model = load_latent_diffusion(open_model(chosen.checkpoint)).eval().requires_grad_(False)
    pictures = load_pictures(DATA, 64, GROUPS)
    report = {
        "reconstruction": reconstruction(model, pictures),
        **retrieval(model, pictures, chosen.captions, chosen.steps),
    }
    print(json.dumps(report, indent=2))
    chosen.output.mkdir(parents=True, exist_ok=True)
    scale = float(report["cfg_scale"])
    seen = [pictures.pictures[index].caption for index in random.Random(7).sample(range(len(pictures)), 48)]
    sheet(generate(model, seen + list(UNSEEN), scale, chosen.steps)).save(chosen.output / "embedded-64-prompts.png")
    print(
        "\n".join(
            f"{row * 8 + 1}-{row * 8 + 8}: " + "; ".join((seen + list(UNSEEN))[row * 8 : row * 8 + 8])
            for row in range(8)
        )
    )


@torch.inference_mode()
def reconstruction(model: LatentDiffusion, pictures: PictureSet) -> dict[str, float]:
    """Mean PSNR in dB and SSIM over pictures in [0, 1]."""
    psnr: list[Tensor] = []
    similarity: list[Tensor] = []
    for start in range(0, len(pictures), 64):
        x = pictures.batch(torch.arange(start, min(start + 64, len(pictures))))
        y = model.decode_first_stage(model.encode_first_stage(x)).clamp(-1, 1)
        x, y = (x + 1) / 2, (y + 1) / 2
        psnr.append(-10 * (x - y).square().mean((1, 2, 3)).log10())
        similarity.append(ssim(x, y))
    return {"psnr_db": float(torch.cat(psnr).mean()), "ssim": float(torch.cat(similarity).mean())}


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity: [B]. Source: Wang et al. 2004, eq. 13, with its 11x11 Gaussian window of sigma 1.5.

    x, y: [B, C, H, W] in [0, 1].
    """
    line = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = (line[:, None] * line[None]) / line.sum() ** 2
    kernel = window.expand(x.shape[1], 1, 11, 11)

    def blur(z: Tensor) -> Tensor:
        return F.conv2d(z, kernel, groups=z.shape[1])

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return (((2 * mx * my + c1) * (2 * cov + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean((1, 2, 3))


@torch.inference_mode()
def retrieval(model: LatentDiffusion, pictures: PictureSet, count: int, steps: int) -> dict[str, object]:
    """Top-1 and top-5 prompt retrieval over `count` captions, the guidance scale chosen on 48 other captions."""
    batches = [torch.arange(start, min(start + 64, len(pictures))) for start in range(0, len(pictures), 64)]
    known = torch.cat([model.encode_first_stage(pictures.batch(batch)) for batch in batches]).flatten(1)
    order = random.Random(0).sample(range(len(pictures)), count + 48)
    test, tuning = order[:count], order[count:]

    def ranks(indices: Sequence[int], scale: float, steps: int) -> Tensor:
        captions = [pictures.pictures[index].caption for index in indices]
        latents = latents_of(model, captions, scale, steps).flatten(1)
        distances = torch.cdist(latents, known)
        return (distances < distances[torch.arange(len(indices)), torch.tensor(indices)][:, None]).sum(1)

    tuned = {scale: float((ranks(tuning, scale, min(steps, 20)) < 5).float().mean()) for scale in SCALES}
    scale = max(tuned, key=lambda each: tuned[each])
    started = time.perf_counter()
    found = ranks(test, scale, steps)
    return {
        "cfg_scale": scale,
        "top5_by_scale_on_other_captions": tuned,
        "captions": count,
        "among": len(pictures),
        "top1": float((found < 1).float().mean()),
        "top5": float((found < 5).float().mean()),
        "seconds_per_picture": (time.perf_counter() - started) / count,
        "missed": [pictures.pictures[test[row]].caption for row in range(count) if found[row] >= 5],
    }


def latents_of(model: LatentDiffusion, captions: Sequence[str], scale: float, steps: int) -> Tensor:
    """Generate scaled latents [N, 4, 16, 16], 32 at a time; picture i starts from seed i of its batch."""
    encoder = model.cond_stage_model
    assert isinstance(encoder, BERTEmbedder)
    schedule = model.schedule()
    made: list[Tensor] = []
    for start in range(0, len(captions), 32):
        texts = list(captions[start : start + 32])
        context, empty = encoder.encode(texts), encoder.encode([""] * len(texts))
        denoiser = Guided(
            VDenoiser(model.unet, schedule, Condition(context=context)),
            VDenoiser(model.unet, schedule, Condition(context=empty)),
            scale,
        )
        zeros = torch.zeros(len(texts), 4, 16, 16)
        (latents,) = drive([begin_ldm(denoiser, schedule, ldm_sigmas(schedule, steps), zeros, start, ddim)])
        assert isinstance(latents, Tensor), latents
        made.append(latents)
    return torch.cat(made)


@torch.inference_mode()
def generate(model: LatentDiffusion, captions: Sequence[str], scale: float, steps: int) -> Tensor:
    """Pictures [N, 3, 64, 64] in [0, 1] for captions."""
    return ((model.decode_first_stage(latents_of(model, captions, scale, steps)) + 1) / 2).clamp(0, 1)


def sheet(pictures: Tensor, columns: int = 8, zoom: int = 2) -> Image.Image:
    """Lay pictures out in rows, enlarged."""
    rows = pictures.unflatten(0, (-1, columns))  # [R, columns, 3, 64, 64]
    grid = rows.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)  # [R*64, columns*64, 3]
    small = Image.fromarray((grid * 255).byte().numpy())
    return small.resize((small.width * zoom, small.height * zoom), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    main()
