"""What a run keeps alive: values at work, and no more (promise P14)."""

from __future__ import annotations

import gc
import threading
import weakref

from engine.node.context import Context
from engine.node.decorator import node
from engine.node.results import Shown
from tests.run.workshop import Spec, Workshop, link


class Weight:
    """A value whose life is watched."""

    port = "WEIGHT"


class Scales:
    """Counts the weights that are alive."""

    def __init__(self) -> None:
        self.now = self.most = self.made = 0
        self._lock = threading.Lock()

    def weigh(self) -> Weight:
        weight = Weight()
        with self._lock:
            self.made += 1
            self.now += 1
            self.most = max(self.most, self.now)
        weakref.finalize(weight, self._gone)
        return weight

    def _gone(self) -> None:
        with self._lock:
            self.now -= 1


@node(category="test")
def Begin(ctx: Context, number: int = 0) -> Weight:
    """Make a value."""
    return ctx.service(Scales).weigh()


@node(category="test")
def Change(ctx: Context, weight: Weight, number: int = 0) -> Weight:
    """Make a value of another."""
    return ctx.service(Scales).weigh()


@node(category="test", lane="device")
def ChangeOnDevice(ctx: Context, weight: Weight) -> Weight:
    """Make a value of another, slowly."""
    threading.Event().wait(0.002)
    return ctx.service(Scales).weigh()


@node(category="test", output=True)
def Finish(ctx: Context, weight: Weight) -> Shown:
    """Use a value up."""
    return Shown(ui={})


def branches(count: int, length: int) -> dict[str, Spec]:
    nodes: dict[str, Spec] = {"root": ("Begin", {})}
    for branch in range(count):
        before = "root"
        for index in range(length):
            nodes[f"{branch}.{index}"] = ("Change", {"weight": link(before), "number": branch})
            before = f"{branch}.{index}"
        nodes[f"{branch}.end"] = ("Finish", {"weight": link(before)})
    return nodes


def test_sixteen_branches_keep_few_values_alive(workshop: Workshop) -> None:
    scales = Scales()
    workshop.services, workshop.memory_bytes = (scales,), 0
    engine = workshop.engine(Begin, Change, Finish)
    workshop.run(engine, branches(16, 8)).raise_errors()
    assert scales.made == 129
    assert scales.most <= 0.15 * scales.made
    gc.collect()
    assert scales.now == 0


def test_the_cpu_does_not_run_far_ahead_of_the_device(workshop: Workshop) -> None:
    scales = Scales()
    workshop.services, workshop.memory_bytes = (scales,), 0
    engine = workshop.engine(Begin, Change, ChangeOnDevice, Finish)
    nodes: dict[str, Spec] = {}
    for branch in range(100):
        nodes[f"{branch}.begin"] = ("Begin", {"number": branch})
        nodes[f"{branch}.device"] = ("ChangeOnDevice", {"weight": link(f"{branch}.begin")})
        nodes[f"{branch}.end"] = ("Finish", {"weight": link(f"{branch}.device")})
    workshop.run(engine, nodes).raise_errors()
    assert scales.made == 200
    assert scales.most <= 20
