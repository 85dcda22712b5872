"""The debug switch that catches nodes changing their inputs, with real tensors."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from engine import values
from engine.node.decorator import node
from engine.node.lazy import Lazy
from engine.values import Image, Latent
from tests.run.workshop import Spec, Workshop, link


@node(category="test")
def Noise(seed: int = 0) -> Latent:
    """A latent."""
    return Latent(torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(seed)))


@node(category="test")
def Paint(grey: float = 0.25) -> Image:
    """A picture."""
    return Image(torch.full((1, 2, 2, 3), grey))


@node(category="test")
def Double(latent: Latent) -> Latent:
    """Twice the latent."""
    return Latent(latent.samples * 2)


@node(category="test")
def DoubleInPlace(latent: Latent) -> Latent:
    """Twice the latent, and a mistake."""
    return Latent(latent.samples.mul_(2))


@node(category="test")
async def InvertInPlace(image: Image) -> Image:
    """The negative, and a mistake."""
    return Image(image.pixels.neg_().add_(1))


@node(category="test")
def Choose(latent: Lazy[Latent]) -> Latent:
    """A latent that is asked for."""
    return Latent(latent.get().samples + 1)


NODES = (Noise, Paint, Double, DoubleInPlace, InvertInPlace, Choose)


def classes() -> Mapping[type, bool]:
    return {values.Latent: True, values.Image: False}


@pytest.mark.parametrize(
    ("source", "kind", "name"), [("Noise", "DoubleInPlace", "latent"), ("Paint", "InvertInPlace", "image")]
)
def test_changing_a_tensor_in_place_is_an_error(workshop: Workshop, source: str, kind: str, name: str) -> None:
    workshop.classes, workshop.check_mutation = classes, True
    result = workshop.run(workshop.engine(*NODES), {"from": (source, {}), "to": (kind, {name: link("from")})}, ["to"])
    assert str(result.errors[0]).startswith(f"to.{name} ({kind}): changed its input '{name}' in place")


@pytest.mark.parametrize("kind", ["Double", "Choose"])
def test_making_a_new_tensor_is_none(workshop: Workshop, kind: str) -> None:
    workshop.classes, workshop.check_mutation = classes, True
    nodes: dict[str, Spec] = {"noise": ("Noise", {}), "to": (kind, {"latent": link("noise")})}
    assert workshop.run(workshop.engine(*NODES), nodes, ["to"]).raise_errors().status == "done"


def test_latents_survive_a_restart_and_pictures_do_not(workshop: Workshop) -> None:
    workshop.classes, workshop.disk_bytes = classes, 10**7
    nodes: dict[str, Spec] = {
        "noise": ("Noise", {}),
        "two": ("Double", {"latent": link("noise")}),
        "grey": ("Paint", {}),
    }
    first = workshop.run(workshop.engine(*NODES), nodes, ["two", "grey"])
    again = workshop.run(workshop.engine(*NODES), nodes, ["two", "grey"])
    assert (again.nodes["two"].state, again.nodes["grey"].state) == ("cached", "ran")
    assert again.value("two").samples.equal(first.value("two").samples)
