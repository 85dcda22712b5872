"""A checkpoint damaged at random is refused in one sentence, or still is a checkpoint: never anything else."""

import random

import pytest

from engine.errors import DarkroomError
from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.checkpoint import load_latent_diffusion, load_unet, save_latent_diffusion
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.header import read_header
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.text.tokenizer import BertTokenizer, train_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig
from engine.ldm.weights import open_model


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of a small text-to-image checkpoint."""
    vocabulary = train_vocabulary(["a red apple", "a blue apple"], 60)
    text = TextTransformerConfig(dim=8, depth=1, vocab_size=len(vocabulary), max_seq_len=8, heads=1, dim_head=8)
    config = LatentDiffusionConfig(
        UNetConfig(3, 3, 32, (1, 2), 1, attention_resolutions=(2,), num_heads=2, context_dim=8),
        AutoencoderConfig(ch=32, ch_mult=(1, 1), num_res_blocks=1),
        text,
        conditioning_key="crossattn",
    )
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    save_latent_diffusion(path, LatentDiffusion(config, BertTokenizer(vocabulary, 8)))
    return path.read_bytes()


def damage(content: bytes, header: int, draw: random.Random) -> bytes:
    """Cut the file, or overwrite up to three bytes of its header (half the time digits by digits)."""
    damaged = bytearray(content)
    if draw.random() < 0.1:
        return content[: draw.randrange(len(content))]
    digits = [i for i in range(8, header) if 48 <= damaged[i] <= 57]
    only_digits = draw.random() < 0.5
    for _ in range(draw.randint(1, 3)):
        if only_digits:
            damaged[draw.choice(digits)] = draw.randrange(48, 58)
        else:
            damaged[draw.randrange(header)] = draw.randrange(256)
    return bytes(damaged)


def tried(load, path) -> str | None:
    """The message of a refusal, None where it loaded; any other exception fails the test."""
    try:
        load(open_model(path))
    except DarkroomError as error:
        return str(error)
    return None


def test_a_damaged_checkpoint_is_refused_in_one_sentence(content, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert tried(load_latent_diffusion, path) is None
    header = read_header(path).data_start
    draw = random.Random(0)
    messages = []
    for _ in range(15):
        path.write_bytes(damage(content, header, draw))
        messages += [tried(load_latent_diffusion, path), tried(load_unet, path)]
    refusals = [message for message in messages if message is not None]
    assert len(refusals) > 15
    assert all("\n" not in message and len(message) < 1000 for message in refusals)
