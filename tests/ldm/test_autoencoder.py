"""The autoencoder against the original's output, and its behaviour at the edges."""

import pytest
import torch

from engine.ldm.autoencoder import AutoencoderConfig, AutoencoderKL, VQModel, build_autoencoder
from engine.ldm.original_config import autoencoder_config
from tests.ldm import fixtures

NAME = "ae_kl_f8_attn_z16"


@pytest.mark.parametrize("shape", ["sq", "rect"])
def test_the_kl_autoencoder_is_the_originals(shape):
    autoencoder = AutoencoderKL(autoencoder_config(fixtures.config(NAME)["params"]))
    autoencoder.load_state_dict(fixtures.weights(NAME))
    io = {key.removeprefix(f"{shape}."): value for key, value in fixtures.io(NAME).items() if key.startswith(shape)}
    with torch.no_grad():
        posterior = autoencoder.encode(io["x"])
        sample = posterior.sample(io["noise"])
        fixtures.assert_close(posterior.mode(), io["mode"])
        fixtures.assert_close(autoencoder.encode_mode(io["x"]), io["mode"])
        fixtures.assert_close(sample, io["sample"])
        fixtures.assert_close(posterior.kl(), io["kl"])
        fixtures.assert_close(posterior.nll(sample), io["nll"])
        fixtures.assert_close(autoencoder.decode(io["mode"]), io["dec_mode"])
        fixtures.assert_close(autoencoder.decode(io["sample"]), io["dec_sample"])


def small_vq() -> VQModel:
    torch.manual_seed(0)
    config = AutoencoderConfig(ch=32, ch_mult=(1, 1), num_res_blocks=1, n_embed=16, mid_attention=False)
    autoencoder = build_autoencoder(config)
    assert isinstance(autoencoder, VQModel)
    return autoencoder


def test_decoding_snaps_latents_to_the_codebook_unless_told_not_to():
    autoencoder = small_vq()
    z = torch.randn(1, 3, 4, 4)
    with torch.no_grad():
        snapped = autoencoder.quantize(z)
        fixtures.assert_close(autoencoder.decode(z), autoencoder.decode_indices(snapped.indices), 1e-5)
        assert not torch.allclose(autoencoder.decode(z), autoencoder.decode(z, quantize=False))


def test_the_codebook_passes_gradients_straight_through():
    z = torch.randn(1, 3, 4, 4, requires_grad=True)
    small_vq().quantize(z).quantized.sum().backward()
    assert z.grad is not None
    assert torch.equal(z.grad, torch.ones_like(z))


def test_every_cell_gets_its_nearest_codebook_entry():
    autoencoder = small_vq()
    z = torch.randn(2, 3, 3, 5)
    distances = torch.cdist(z.permute(0, 2, 3, 1).reshape(-1, 3), autoencoder.quantize.embedding.weight)
    assert torch.equal(autoencoder.quantize(z).indices.flatten(), distances.argmin(dim=1))
