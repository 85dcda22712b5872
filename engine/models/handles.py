"""Handles: what travels along MODEL, VAE and CLIP edges in place of weights.

A handle says which file, which configuration and which changes; it holds no tensor, is cheap, hashable, and two equal
handles mean the same network. `ModelManager.use` turns one into a network on the device. Importable without torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from engine.errors import ModelFileError

if TYPE_CHECKING:
    from torch import nn

    from engine.ldm.autoencoder import AutoencoderConfig, FirstStage
    from engine.ldm.conditioners.text import BERTEmbedder
    from engine.ldm.config import LatentDiffusionConfig
    from engine.ldm.patches import PatchGrid
    from engine.ldm.weights import ModelFile
    from engine.models.device import Device
    from engine.models.precision import PrecisionUNet

Network = TypeVar("Network", bound="nn.Module", covariant=True)


class Handle(Protocol[Network]):
    """What the manager needs of a handle; handles are hashable and equal when they mean the same network."""

    @property
    def label(self) -> str:
        """What to call it in a message."""
        ...

    def build(self, device: Device) -> Network:
        """Build the network on the CPU in the precision it has on `device`, its weights views of the file if may be.

        Raises:
            ModelFileError: the file is gone, has changed, or does not hold this network.
        """
        ...


@dataclass(frozen=True)
class Weights:
    """A file of weights as it was when it was looked up. `identity` changes when the file does."""

    path: str
    identity: str

    @classmethod
    def at(cls, path: str | Path) -> Weights:
        """Refer to a file.

        Raises:
            ModelFileError: there is none.
        """
        path = Path(path).resolve()
        return cls(str(path), _identity(path))

    def open(self) -> ModelFile:
        """Map the file into memory.

        Raises:
            ModelFileError: it is gone, damaged, or another than when it was looked up.
        """
        from engine.ldm.weights import open_model

        if _identity(Path(self.path)) != self.identity:
            raise ModelFileError(f"{self.path} has changed since it was loaded; run the workflow again")
        return open_model(self.path)


class Patch(Protocol):
    """A change to a network's weights that a handle carries, such as a LoRA: a hashable value."""

    def apply(self, network: nn.Module) -> None:
        """Change the network, which nobody else has, replacing parameters (never writing into them)."""
        ...


@dataclass(frozen=True)
class Model:
    """A denoising network and all that sampling with it needs to know: schedule, parameterization, scale factor."""

    port: ClassVar[str] = "MODEL"
    weights: Weights
    config: LatentDiffusionConfig
    patches: tuple[Patch, ...] = ()
    averages: bool = True
    """Use the averaged weights where the file has them."""
    in_patches: PatchGrid | None = None
    """How to cut latents that are larger than a patch; None samples them whole."""

    @classmethod
    def open(cls, path: str | Path, config: LatentDiffusionConfig | None = None) -> Model:
        """Refer to the denoising network in a file.

        Raises:
            ModelFileError: there is none, or its configuration is unknown.
        """
        from engine.ldm.checkpoint_config import read_config

        weights = Weights.at(path)
        return cls(weights, config or read_config(weights.open()))

    @property
    def label(self) -> str:
        return f"the model {Path(self.weights.path).name}"

    @property
    def first_stage(self) -> VAE | None:
        """The first stage in the same file; None if the configuration knows of none. It may still not be there."""
        config = self.config.first_stage
        return None if config is None else VAE(self.weights, config)

    @property
    def network(self) -> Model:
        """The network alone, without how it is to be used."""
        return replace(self, in_patches=None)

    def patched(self, patch: Patch) -> Model:
        """This model with one more patch."""
        return replace(self, patches=(*self.patches, patch))

    def build(self, device: Device) -> PrecisionUNet:
        from engine.ldm.checkpoint import load_unet
        from engine.models.precision import PrecisionUNet

        unet = load_unet(self.weights.open(), self.averages, device.dtype, self.config.unet)
        for patch in self.patches:
            patch.apply(unet)
        return PrecisionUNet(unet, device.dtype)


@dataclass(frozen=True)
class VAE:
    """A first stage: pixels to latents and back. Computes in float32 everywhere."""

    port: ClassVar[str] = "VAE"
    weights: Weights
    config: AutoencoderConfig
    patches: tuple[Patch, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> VAE:
        """Refer to the autoencoder in a file.

        Raises:
            ModelFileError: there is none, or it cannot be recognised.
        """
        weights = Weights.at(path)
        from engine.ldm.checkpoint import load_first_stage

        return cls(weights, load_first_stage(weights.open()).config)

    @property
    def label(self) -> str:
        return f"the autoencoder {Path(self.weights.path).name}"

    def build(self, device: Device) -> FirstStage:
        import torch

        from engine.ldm.checkpoint import load_first_stage

        autoencoder = load_first_stage(self.weights.open(), torch.float32)
        for patch in self.patches:
            patch.apply(autoencoder)
        return autoencoder


@dataclass(frozen=True)
class TextEncoder:
    """A text conditioner: strings to a context for cross-attention. Computes in float32 everywhere."""

    port: ClassVar[str] = "CLIP"
    weights: Weights
    patches: tuple[Patch, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> TextEncoder:
        """Refer to the text encoder in a file.

        Raises:
            ModelFileError: there is none, or it cannot be recognised.
        """
        weights = Weights.at(path)
        from engine.ldm.checkpoint import load_text_encoder

        load_text_encoder(weights.open())
        return cls(weights)

    @property
    def label(self) -> str:
        return f"the text encoder {Path(self.weights.path).name}"

    def build(self, device: Device) -> BERTEmbedder:
        import torch

        from engine.ldm.checkpoint import load_text_encoder

        encoder = load_text_encoder(self.weights.open(), dtype=torch.float32)
        for patch in self.patches:
            patch.apply(encoder)
        return encoder


def _identity(path: Path) -> str:
    """What changes when a file is replaced or written: device, inode, size, time of change."""
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    return f"{stat.st_dev}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"
