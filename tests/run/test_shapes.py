"""What travels is measured when it is made, and the measure stays known while the result is."""

from __future__ import annotations

import torch

from engine.node.decorator import node
from engine.node.results import Shown
from engine.run.events import NodeFinished, RunStarted
from engine.run.shapes import shapes_of
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask, Sigmas
from tests.run.workshop import Workshop, link


def test_pictures_and_latents_are_measured_and_numbers_are_not() -> None:
    image, mask = Image(torch.zeros(2, 8, 16, 3)), Mask(torch.zeros(1, 8, 16))
    latent, sigmas = Latent(torch.zeros(1, 4, 2, 3)), Sigmas(torch.zeros(21))
    words = Conditioning((ConditioningPart(context=torch.zeros(1, 77, 64)), ConditioningPart()))
    outputs = [[image], [mask], [latent], [sigmas], [words], [3], ["words"]]
    assert shapes_of(outputs) == ("2x8x16x3", "1x8x16", "1x4x2x3", "21", "1x77x64", "", "")


def test_a_list_says_how_many_it_holds() -> None:
    assert shapes_of([[Mask(torch.zeros(1, 2, 2))] * 3, []]) == ("3 of 1x2x2", "")


def test_where_nothing_is_measured_nothing_is_said() -> None:
    class Odd:
        shape = ("wide", "tall")

    assert shapes_of([[1], ["a"], [Odd()]]) == ()
    assert shapes_of([]) == ()


@node(category="test")
def Blank(width: int = 4) -> Image:
    """An empty picture."""
    return Image(torch.zeros(1, 2, width, 3))


@node(category="test")
def Twice(image: Image, seed: int = 0) -> Image:
    """The picture twice."""
    return Image(torch.cat([image.pixels, image.pixels]))


@node(category="test", output=True)
def Look(image: Image) -> Shown:
    """Look at a picture."""
    return Shown(ui={"seen": [len(image.pixels)]})


def test_a_run_tells_what_it_made_and_what_it_had(workshop: Workshop) -> None:
    workshop.classes = lambda: {Image: True}
    engine = workshop.engine(Blank, Twice, Look)

    def run(seed: int) -> tuple[RunStarted, dict[str, tuple[str, ...]]]:
        chain = {"twice": ("Twice", {"image": link("blank"), "seed": seed}), "look": ("Look", {"image": link("twice")})}
        workshop.run(engine, {"blank": ("Blank", {}), **chain})
        (started,) = [event for event in workshop.events if isinstance(event, RunStarted)]
        made = {event.node: tuple(event.shapes) for event in workshop.events if isinstance(event, NodeFinished)}
        return started, made

    started, made = run(seed=1)
    assert (started.shapes, made) == ({}, {"blank": ("1x2x4x3",), "twice": ("2x2x4x3",), "look": ()})
    started, made = run(seed=2)
    assert started.shapes == {"blank": ("1x2x4x3",)}
    assert made["twice"] == ("2x2x4x3",)
