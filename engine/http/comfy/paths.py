"""Every route of ComfyUI's exists twice, as it is and below `/api`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from engine.http.route import Route


def both(routes: Iterable[Route]) -> Iterator[Route]:
    """The routes under both spellings; only the shorter is in the OpenAPI document."""
    for route in routes:
        yield route
        yield replace(route, path=f"/api{route.path}", documented=False)
