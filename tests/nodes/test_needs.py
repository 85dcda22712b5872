"""What a request needs at the least is never more than it really takes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.errors import OutOfMemory
from engine.ldm.autoencoder import Decoder, build_autoencoder
from engine.ldm.unet import UNetModel
from engine.models.device import Device
from engine.models.manager import ModelManager
from engine.models.needs import decoding_bytes, sampling_bytes
from engine.node import NullContext
from engine.values import Latent
from nodes.loaders import LoadedCheckpoint
from nodes.vae import VAEDecode
from tests.nodes import tiny


def test_the_first_half_of_a_unet_leaves_what_is_estimated() -> None:
    config = tiny.config().unet
    unet, sizes = UNetModel(config), list[int]()

    def note(module: nn.Module, given: Any, result: Tensor) -> None:
        sizes.append(result.nbytes)

    for block in unet.input_blocks:
        block.register_forward_hook(note)
    with torch.no_grad():
        unet(torch.zeros(3, 4, 16, 8), torch.zeros(3), context=torch.zeros(3, tiny.TOKENS, tiny.WIDTH))
    assert sum(sizes) == sampling_bytes(config, 3, 16, 8, 4)


def test_a_decoders_last_block_holds_what_is_estimated() -> None:
    config = tiny.config().first_stage
    assert config is not None
    autoencoder, largest = build_autoencoder(config), 0

    def note(module: nn.Module, given: Any, result: Tensor) -> None:
        nonlocal largest
        largest = max(largest, given[0].nbytes + result.nbytes)

    assert isinstance(autoencoder.decoder, Decoder)
    for module in autoencoder.decoder.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(note)
    with torch.no_grad():
        autoencoder.decode(torch.zeros(2, 4, 8, 4))
    # Beside what goes into the convolution and comes out, a block keeps what it adds to.
    assert decoding_bytes(config, 2, 32, 16) <= largest * 3 // 2


class Small(Device):
    """A device with a megabyte free."""

    def free_bytes(self) -> int | None:
        return 2**20


def test_what_cannot_fit_is_refused_with_what_it_needs() -> None:
    manager = ModelManager(Small(), 2**30)
    manager.expect(2**20, "do this")
    with pytest.raises(OutOfMemory, match=r"cpu cannot do this: that takes at least 3.0 MiB, and only 1.0 MiB .*fewer"):
        manager.expect(3 * 2**20, "do this")


def test_what_unused_networks_hold_counts_as_room(loaded: LoadedCheckpoint) -> None:
    manager = ModelManager(Small(), 2**30)
    with manager.use(loaded.vae):
        held = manager.resident_bytes
        with pytest.raises(OutOfMemory):
            manager.expect(2**20 + held, "do this")
    manager.expect(2**20 + held, "do this")


def test_a_decoding_that_cannot_fit_does_not_begin(loaded: LoadedCheckpoint, ctx: NullContext) -> None:
    small = NullContext(ctx.folders, ModelManager(Small(), 2**30))
    with pytest.raises(OutOfMemory, match="decode 9 pictures of 256x256"):
        VAEDecode(Latent(torch.zeros(9, 4, 64, 64)), loaded.vae, small)
