"""Adapters beside frozen layers: begin as nothing, and end as the change that their file makes."""

from __future__ import annotations

import pytest
import torch

from engine.ldm.lora import apply_lora
from engine.ldm.lora_names import TEXT, UNET
from engine.ldm.text.transformer import TextTransformerConfig, TransformerWrapper
from engine.ldm.training.adapters import Adapters, choose_layers
from engine.ldm.unet import UNetConfig, UNetModel


def network(context_dim: int | None) -> UNetModel:
    """Attention to words, or without any: `AttentionBlock` and its convolutions."""
    torch.manual_seed(0)
    unet = UNetModel(UNetConfig(4, 4, 16, (1, 2), 1, (1, 2), num_heads=2, context_dim=context_dim, norm_groups=8))
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return unet.eval().requires_grad_(False)


@pytest.mark.parametrize("context_dim", [8, None])
def test_the_file_of_trained_adapters_changes_the_network_as_they_did(context_dim: int | None) -> None:
    unet = network(context_dim)
    x, t = torch.randn(2, 4, 8, 8), torch.tensor([1.0, 900.0])
    context = None if context_dim is None else torch.randn(2, 3, context_dim)
    plain = unet(x, t, context)
    adapters = Adapters(choose_layers(unet, "everything"), rank=2, alpha=1.0)
    with adapters.attached():
        torch.testing.assert_close(unet(x, t, context), plain)
        for parameter in adapters.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        changed = unet(x, t, context)
    assert not changed.allclose(plain)
    torch.testing.assert_close(unet(x, t, context), plain)
    apply_lora(unet, adapters.trained(), 1.0, "a file")
    torch.testing.assert_close(unet(x, t, context), changed, rtol=1e-3, atol=1e-3)


def test_only_the_chosen_layers_learn() -> None:
    unet = network(8)
    attention, transformer, everything = (
        set(choose_layers(unet, t)) for t in ("attention", "transformer", "everything")
    )
    assert attention < transformer < everything
    assert {name.rpartition("_to_")[2] for name in attention} == {"q", "k", "v", "out_0"}
    assert UNET + "out_2" in everything - transformer
    assert UNET + "middle_block_1_proj_in" in transformer - attention
    text = choose_layers(TransformerWrapper(TextTransformerConfig(16, 1, 10, 8, 2, 8, logits=False)), "attention")
    assert set(text) == {f"{TEXT}attn_layers_layers_0_1_to_{part}" for part in ("q", "k", "v", "out")}


def test_adapters_alone_are_trained() -> None:
    unet = network(8)
    adapters = Adapters(choose_layers(unet, "attention"), rank=2, alpha=2.0)
    with adapters.attached():
        unet(torch.randn(1, 4, 8, 8), torch.zeros(1), torch.randn(1, 3, 8)).square().mean().backward()
    assert all(parameter.grad is None for parameter in unet.parameters())
    assert all(parameter.grad is not None for parameter in adapters.parameters())
    assert sum(each.numel() for each in adapters.parameters()) < sum(each.numel() for each in unet.parameters()) / 10
