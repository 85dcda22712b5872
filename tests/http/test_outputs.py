"""The gallery lists what is there, newest first, and looks only where something changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from aiohttp import ClientSession

from engine.http.gallery import Gallery
from engine.node.folders import Folders
from tests.http.conftest import Client
from tests.http.drawing import encoded, scene
from tests.http.live import dots


def put(path: Path, data: bytes = b"x", age_s: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(0, 1_700_000_000_000_000_000 - int(age_s * 1e9)))
    return path


async def test_pictures_come_newest_first_in_pages(client: Client, folders: Folders) -> None:
    for n in range(7):
        put(folders.output / ("even" if n % 2 == 0 else "") / f"a_{n}.png", encoded(scene(16 + n, 8)), age_s=n)
    put(folders.output / "notes.txt", b"words")
    first = await (await client.get("/v1/outputs?limit=3")).json()
    rest = await (await client.get("/v1/outputs?limit=100&offset=3")).json()
    assert first["total"] == rest["total"] == 7
    assert [file["filename"] for file in first["files"] + rest["files"]] == [f"a_{n}.png" for n in range(7)]
    assert first["files"][0] == {
        "filename": "a_0.png",
        "subfolder": "even",
        "type": "output",
        "width": 16,
        "height": 8,
        "size": len(encoded(scene(16, 8))),
        "modified": 1_700_000_000.0,
        "job": None,
        "node": None,
    }


async def test_the_gallery_is_searched_by_words(client: Client, folders: Folders) -> None:
    for name in ("Cats/red_1.png", "Cats/blue_1.png", "dogs/red_1.png"):
        put(folders.output / name)

    async def found(query: str) -> list[str]:
        answer = await (await client.get("/v1/outputs", params={"q": query})).json()
        return sorted(f"{file['subfolder']}/{file['filename']}" for file in answer["files"])

    assert await found("RED") == ["Cats/red_1.png", "dogs/red_1.png"]
    assert await found("red cats") == ["Cats/red_1.png"]
    assert await found("nothing") == []
    assert await found("%") == []


async def test_other_files_are_listed_when_asked(client: Client, folders: Folders) -> None:
    put(folders.output / "a.latent")
    assert (await (await client.get("/v1/outputs")).json())["total"] == 0
    everything = await (await client.get("/v1/outputs?kind=all")).json()
    assert [(file["filename"], file["width"]) for file in everything["files"]] == [("a.latent", None)]


async def test_an_output_is_deleted_and_nothing_else(client: Client, folders: Folders) -> None:
    keep = put(folders.input / "keep.png")
    gone = put(folders.output / "sub" / "gone.png")
    assert (await client.delete("/v1/files/output/sub/gone.png")).status == 204
    assert not gone.exists()
    assert (await client.delete("/v1/files/output/sub/gone.png")).status == 404
    assert (await client.delete("/v1/files/output/sub")).status == 400
    for name in ("../input/keep.png", "..%2Finput%2Fkeep.png", "keep.png%20[input]"):
        assert (await client.delete(f"/v1/files/output/{name}")).status in (400, 404, 405)
    assert (await client.delete("/v1/files/input/keep.png")).status == 405
    assert keep.exists()
    assert (await (await client.get("/v1/outputs")).json())["total"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "offset=-1", "limit=x", "kind=secret"])
async def test_a_page_has_bounds(client: Client, query: str) -> None:
    assert (await client.get(f"/v1/outputs?{query}")).status == 400


async def test_an_empty_gallery_is_no_error(client: Client) -> None:
    assert await (await client.get("/v1/outputs")).json() == {"files": [], "total": 0}


def test_hidden_files_and_links_are_not_listed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "secret.png")
    root = tmp_path / "output"
    put(root / "a.png")
    put(root / ".writing-1.png")
    put(root / ".hidden" / "b.png")
    (root / "link.png").symlink_to(outside)
    (root / "linked").symlink_to(outside.parent)
    assert [file.name for file in Gallery(root).page(10)[0]] == ["a.png"]


def test_ten_thousand_files_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in range(10):
        (tmp_path / f"day {folder}").mkdir()
        for n in range(1000):
            os.close(os.open(tmp_path / f"day {folder}" / f"{n}.png", os.O_CREAT))
    later = (tmp_path / "day 9").stat().st_mtime_ns + 60_000_000_000
    gallery = Gallery(tmp_path, clock_ns=lambda: later)
    page, total = gallery.page(50)
    assert (len(page), total) == (50, 10_000)
    looked: list[str] = []
    real = os.scandir

    def watched(path: Path) -> object:
        looked.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(os, "scandir", watched)
    assert gallery.page(50) == (page, total)
    assert looked == []
    put(tmp_path / "day 3" / "new.png")
    os.utime(tmp_path / "day 3" / "new.png")
    newest, total = gallery.page(1)
    assert (newest[0].name, total) == ("day 3/new.png", 10_001)
    assert looked == ["day 3"]


def test_a_change_within_the_clocks_grain_is_seen(tmp_path: Path) -> None:
    stamp = tmp_path.stat().st_mtime_ns
    gallery = Gallery(tmp_path, clock_ns=lambda: stamp + 1)
    put(tmp_path / "a.png")
    os.utime(tmp_path, ns=(stamp, stamp))
    assert gallery.page(10)[1] == 1
    put(tmp_path / "b.png")
    os.utime(tmp_path, ns=(stamp, stamp))
    assert gallery.page(10)[1] == 2


async def test_a_picture_leads_to_the_job_and_node_that_made_it(session: ClientSession) -> None:
    async with session.post("/v1/run", json={"workflow": dots("lime", prefix="led/back")}) as answer:
        job = (await answer.json())["job"]["id"]
    async with session.get("/v1/outputs", params={"q": "led/back"}) as answer:
        (file,) = (await answer.json())["files"]
    assert (file["subfolder"], file["width"], file["height"]) == ("led", 2, 1)
    assert (file["job"], file["node"]) == (job, "save")
