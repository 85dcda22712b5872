"""The editor's settings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from pydantic import ConfigDict

from engine.http.body import Body
from engine.http.route import Route
from engine.http.user.preferences import Preferences, PreferencesFile

PREFERENCES: web.AppKey[PreferencesFile] = web.AppKey("preferences", PreferencesFile)


class Changes(Body):
    """Settings to change, by key; null takes one back to its default. Unknown keys are kept as they come."""

    model_config = ConfigDict(frozen=True, extra="allow")


async def read(request: web.Request) -> Preferences:
    """Read all settings, defaults included."""
    return await asyncio.to_thread(request.app[PREFERENCES].read)


async def change(request: web.Request, body: Changes) -> Preferences:
    """Change settings; the disk has them when this answers."""
    return await asyncio.to_thread(request.app[PREFERENCES].change, body.model_extra or {})


def routes() -> Iterable[Route]:
    """The routes of the settings."""
    yield Route("GET", "/v1/settings", read)
    yield Route("PATCH", "/v1/settings", change)
