"""What a body may ask of its run."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import Cancelled, DarkroomError
from engine.node.context import Context, NullContext, Services
from engine.node.folders import Folders


class Camera:
    """Some service."""


class Tripod:
    """Another."""


class SmallCamera(Camera):
    """One of a kind."""


def test_a_service_is_found_by_its_class_or_a_base(tmp_path: Path) -> None:
    camera = SmallCamera()
    ctx: Context = NullContext(Folders.under(tmp_path), camera)
    assert ctx.service(SmallCamera) is camera
    assert ctx.service(Camera) is camera


def test_a_missing_service_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DarkroomError, match=r"there is no Tripod here \(services: SmallCamera\)"):
        NullContext(Folders.under(tmp_path), SmallCamera()).service(Tripod)
    with pytest.raises(DarkroomError, match=r"services: none"):
        NullContext(Folders.under(tmp_path)).service(Tripod)


def test_services_of_later_are_made_once_and_only_when_needed() -> None:
    made: list[Tripod] = []

    def make() -> list[Tripod]:
        made.append(Tripod())
        return made

    services = Services(Camera(), later=make)
    services.get(Camera)
    assert made == []
    assert services.get(Tripod) is services.get(Tripod) is made[0]
    with pytest.raises(DarkroomError, match="services: Camera, Tripod"):
        services.get(SmallCamera)
    assert len(made) == 1


def test_a_null_context_can_be_cancelled(tmp_path: Path) -> None:
    ctx = NullContext(Folders.under(tmp_path))
    ctx.check_cancelled()
    ctx.cancelled = True
    with pytest.raises(Cancelled):
        ctx.check_cancelled()


def test_a_null_context_swallows_progress(tmp_path: Path) -> None:
    ctx: Context = NullContext(Folders.under(tmp_path), node_id="sampler")
    ctx.progress(1, 2, "half")
    ctx.preview(b"jpeg")
    assert (ctx.node_id, ctx.wants_preview, ctx.prompt_json) == ("sampler", False, None)
