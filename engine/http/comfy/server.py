"""What ComfyUI's clients ask of the server itself, and what its editor asks at its start."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from typing import cast

import orjson
from aiohttp import web
from pydantic import JsonValue

from engine.http.body import read_json_body
from engine.http.comfy.object_info import describe, describe_all
from engine.http.comfy.paths import both
from engine.http.comfy.socket import features
from engine.http.errors import HttpError
from engine.http.keys import FOLDERS, SERVICE, SETTINGS
from engine.http.route import Route
from engine.http.v1.settings import PREFERENCES
from engine.http.version import version

COMFYUI = "0.8.0"
"""The version whose interface this follows."""
Object = dict[str, JsonValue]


async def object_info(request: web.Request) -> Object:
    """Describe all nodes."""
    service, folders = request.app[SERVICE], request.app[FOLDERS]
    return await asyncio.to_thread(describe_all, service.catalogue, folders.list)


async def object_info_of(request: web.Request) -> Object:
    """Describe one node; an unknown one gives an empty object."""
    name = request.match_info["name"]
    schema = request.app[SERVICE].catalogue.get(name)
    if schema is None:
        return {}
    return {name: await asyncio.to_thread(describe, schema, name, request.app[FOLDERS].list)}


async def system_stats(request: web.Request) -> Object:
    """Say what the server and its devices are. Paths and the command line are left out."""
    workers = [dict(each) for each in await request.app[SERVICE].stats()]
    first = workers[0] if workers else {}
    system: Object = {
        "os": sys.platform,
        "ram_total": first.get("ram_total_bytes", 0),
        "ram_free": first.get("ram_free_bytes", 0),
        "comfyui_version": COMFYUI,
        "darkroom_version": version(),
        "required_frontend_version": "",
        "installed_templates_version": "",
        "required_templates_version": "",
        "python_version": first.get("python", ""),
        "pytorch_version": first.get("torch", ""),
        "embedded_python": False,
        "argv": [],
    }
    devices: list[JsonValue] = [
        {
            "name": each.get("label", each.get("device", "")),
            "type": each.get("kind", "cpu"),
            "index": _index(each.get("device")),
            "vram_total": each.get("total_bytes", 0),
            "vram_free": each.get("free_bytes", 0),
            "torch_vram_total": each.get("torch_total_bytes", 0),
            "torch_vram_free": each.get("torch_free_bytes", 0),
        }
        for each in workers
    ]
    return {"system": system, "devices": devices}


async def get_features(request: web.Request) -> Object:
    """Say what this server can do."""
    return features(request.app[SETTINGS].upload_bytes)


async def extensions(request: web.Request) -> list[str]:
    """List scripts of plugins for ComfyUI's editor: none, since this editor runs none."""
    return []


async def users(request: web.Request) -> Object:
    """Say that there is one user, whose settings are on the server."""
    return {"storage": "server", "migrated": True}


async def nothing(request: web.Request) -> Object:
    """Nothing, where ComfyUI's editor asks for what this server has not: translations, subgraphs, templates."""
    return {}


async def settings(request: web.Request) -> Object:
    """Give the settings that ComfyUI's clients stored."""
    stored = await asyncio.to_thread(request.app[PREFERENCES].read)
    kept = cast(JsonValue, (stored.model_extra or {}).get("comfyui"))
    return kept if isinstance(kept, dict) else {}


async def setting(request: web.Request) -> web.Response:
    """Give one setting, or null."""
    value = (await settings(request)).get(request.match_info["id"])
    return web.Response(body=orjson.dumps(value), content_type="application/json")


async def change_settings(request: web.Request) -> web.Response:
    """Change some settings."""
    changes = await read_json_body(request)
    if not isinstance(changes, dict):
        raise HttpError(400, "bad_body", "Settings are an object.", fix="send {'name': value}")
    await _change(request, changes)
    return web.Response()


async def change_setting(request: web.Request) -> web.Response:
    """Change one setting; the body is its value."""
    await _change(request, {request.match_info["id"]: await read_json_body(request)})
    return web.Response()


def routes() -> Iterable[Route]:
    """The routes of the server itself."""
    json = {"application/json": "Any JSON."}
    empty = {"application/octet-stream": "An empty body."}
    yield from both(
        [
            Route("GET", "/object_info", object_info),
            Route("GET", "/object_info/{name}", object_info_of),
            Route("GET", "/system_stats", system_stats),
            Route("GET", "/features", get_features),
            Route("GET", "/extensions", extensions),
            Route("GET", "/users", users),
            Route("GET", "/i18n", nothing),
            Route("GET", "/workflow_templates", nothing),
            Route("GET", "/global_subgraphs", nothing),
            Route("GET", "/node_replacements", nothing),
            Route("GET", "/settings", settings),
            Route("GET", "/settings/{id}", setting, media=json),
            Route("POST", "/settings", change_settings, takes=json, media=empty),
            Route("POST", "/settings/{id}", change_setting, takes=json, media=empty),
        ]
    )


async def _change(request: web.Request, changes: Object) -> None:
    known = await settings(request)
    merged = cast(JsonValue, {**known, **changes})
    await asyncio.to_thread(request.app[PREFERENCES].change, {"comfyui": merged})


def _index(device: JsonValue) -> int | None:
    """`cuda:1` has the index 1."""
    _, _, number = str(device or "").partition(":")
    return int(number) if number.isdecimal() else None
