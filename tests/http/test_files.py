"""The user's files are served as what they are, and as nothing a browser would run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import PngImagePlugin

from engine.http.serving import MEDIA
from engine.node.folders import Folders
from tests.http.conftest import Client
from tests.http.drawing import encoded, pixels, scene


def put(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


async def test_a_file_is_fetched_from_each_folder(client: Client, folders: Folders) -> None:
    for folder in (folders.input, folders.output, folders.temp):
        put(folder / "sub" / "näme 1.png", folder.name.encode())
        answer = await client.get(f"/v1/files/{folder.name}/sub/n%C3%A4me%201.png")
        assert (answer.status, await answer.read()) == (200, folder.name.encode())
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"] == "inline; filename*=UTF-8''n%C3%A4me%201.png"
        encoded_slash = await client.get(f"/v1/files/{folder.name}/sub%2Fn%C3%A4me%201.png")
        assert encoded_slash.status == 200


async def test_a_range_and_an_entity_tag_are_understood(client: Client, folders: Folders) -> None:
    put(folders.output / "a.png", b"0123456789")
    part = await client.get("/v1/files/output/a.png", headers={"Range": "bytes=2-4"})
    assert (part.status, await part.read()) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    whole = await client.get("/v1/files/output/a.png")
    assert whole.headers["Cache-Control"] == "private, no-cache"
    again = await client.get("/v1/files/output/a.png", headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    put(folders.output / "a.png", b"other")
    assert (await client.get("/v1/files/output/a.png", headers={"If-None-Match": whole.headers["ETag"]})).status == 200
    stamped = await client.get("/v1/files/output/a.png?v=1")
    assert "immutable" in stamped.headers["Cache-Control"]


RISKY = (
    "a.html",
    "a.htm",
    "a.xhtml",
    "a.shtml",
    "a.hta",
    "a.mhtml",
    "a.svg",
    "a.SVG",
    "a.svgz",
    "a.xml",
    "a.js",
    "a.mjs",
)
OPAQUE = ("a.css", "a.pdf", "a.swf", "a.wasm", "a", "a.png.html", "a.unknown", "a.safetensors")


@pytest.mark.parametrize("name", [*RISKY, *OPAQUE])
async def test_what_a_browser_might_run_is_a_download(client: Client, folders: Folders, name: str) -> None:
    put(folders.output / name, b"<script>alert(1)</script>")
    answer = await client.get(f"/v1/files/output/{name}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_the_types_that_are_shown_run_nothing() -> None:
    risky = ("html", "svg", "xml", "script", "css", "pdf", "flash")
    assert not [media for media in MEDIA.values() if any(word in media for word in risky)]


@pytest.mark.parametrize("name", ["missing.png", "sub/missing.png", ".hidden.png", "sub/.git/config", "sub"])
async def test_what_is_not_there_is_a_404(client: Client, folders: Folders, name: str) -> None:
    put(folders.output / ".hidden.png")
    put(folders.output / "sub" / ".git" / "config")
    answer = await client.get(f"/v1/files/output/{name}")
    assert answer.status in (400, 404)
    error = (await answer.json())["error"]
    assert error["code"] in ("not_found", "file_problem")


async def test_there_are_three_folders(client: Client, folders: Folders) -> None:
    put(folders.user / "token", b"secret")
    put(folders.models[0] / "vae" / "a.safetensors")
    for folder in ("user", "models", "vae", "cache", "plugins", ".", "INPUT"):
        assert (await client.get(f"/v1/files/{folder}/token")).status == 404


async def test_a_thumbnail_is_made_once(client: Client, folders: Folders) -> None:
    path = put(folders.output / "a.png", encoded(scene(600, 300)))
    first = await client.get("/v1/files/output/a.png?thumbnail=200")
    assert (first.status, first.headers["Content-Type"]) == (200, "image/webp")
    assert pixels(await first.read()).shape[:2] == (128, 256)
    kept = list((folders.cache / "thumbnails").rglob("*.webp"))
    assert len(kept) == 1
    tag = {"If-None-Match": first.headers["ETag"]}
    assert (await client.get("/v1/files/output/a.png?thumbnail=256", headers=tag)).status == 304
    path.write_bytes(encoded(scene(300, 600)))
    second = await client.get("/v1/files/output/a.png?thumbnail=256", headers=tag)
    assert pixels(await second.read()).shape[:2] == (256, 128)


async def test_only_pictures_have_thumbnails(client: Client, folders: Folders) -> None:
    put(folders.output / "a.png", b"<svg/>")
    put(folders.output / "b.png", encoded(scene())[:-40])
    for name in ("a.png", "b.png"):
        answer = await client.get(f"/v1/files/output/{name}?thumbnail=64")
        assert answer.status == 415
        assert (await answer.json())["error"]["code"] == "no_picture"
    assert (await client.get("/v1/files/output/a.png?thumbnail=1000000")).status == 400
    assert (await client.get("/v1/files/output/missing.png?thumbnail=64")).status == 404


async def test_metadata_is_what_the_picture_carries(client: Client, folders: Folders) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps({"1": {"class_type": "A", "inputs": {"t": "<img onerror=alert(1)>"}}}))
    info.add_text("workflow", '{"darkroom": 1, "nodes": {}}')
    put(folders.output / "a.png", encoded(scene(), pnginfo=info))
    put(folders.output / "b.png", encoded(scene()))
    put(folders.output / "c.txt", b"words")
    answer = await client.get("/v1/metadata/output/a.png")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert await answer.json() == {
        "prompt": {"1": {"class_type": "A", "inputs": {"t": "<img onerror=alert(1)>"}}},
        "workflow": {"darkroom": 1, "nodes": {}},
        "width": 40,
        "height": 24,
    }
    nothing = await (await client.get("/v1/metadata/output/b.png")).json()
    assert nothing == {"prompt": None, "workflow": None, "width": 40, "height": 24}
    assert (await client.get("/v1/metadata/output/c.txt")).status == 415
    assert (await client.get("/v1/metadata/output/d.png")).status == 404


async def test_a_fifo_or_device_is_never_opened(client: Client, folders: Folders) -> None:
    os.mkfifo(folders.input / "pipe.png")
    (folders.input / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png"):
        for route in ("files", "metadata"):
            assert (await client.get(f"/v1/{route}/input/{name}")).status in (400, 404)
        assert (await client.get(f"/v1/files/input/{name}?thumbnail=64")).status in (400, 404)
