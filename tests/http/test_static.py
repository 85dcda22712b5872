"""The built editor as it is served, and what stands in for it while there is none."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from engine.http.app import make_app
from engine.http.keys import ServerSettings
from engine.http.security import PAGE_POLICY
from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.http.conftest import TOKEN, Client


@pytest.fixture
async def editor(tmp_path: Path) -> Path:
    built = tmp_path / "editor"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text('<!doctype html><script type="module" src="./assets/app-1a2b.js"></script>')
    (built / "assets" / "app-1a2b.js").write_text("run()")
    (built / "assets" / "notes.exe").write_text("no")
    (built / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (built / "assets" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return built


@pytest.fixture
async def site(service: JobService, folders: Folders, editor: Path) -> AsyncGenerator[Client]:
    async with TestClient(TestServer(make_app(service, folders, ServerSettings(token=TOKEN), editor))) as client:
        yield client


async def test_the_page_is_asked_for_anew_and_runs_only_our_scripts(site: Client) -> None:
    async with site.get("/") as answer:
        assert answer.content_type == "text/html"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
        assert "app-1a2b.js" in await answer.text()
    async with site.get("/", headers={"If-None-Match": answer.headers["ETag"]}) as again:
        assert again.status == 304


async def test_assets_are_kept_for_good(site: Client) -> None:
    async with site.get("/assets/app-1a2b.js") as answer:
        assert answer.content_type == "text/javascript"
        assert "immutable" in answer.headers["Cache-Control"]


async def test_files_beside_the_page_are_served(site: Client) -> None:
    async with site.get("/icon.svg") as answer:
        assert (answer.status, answer.content_type) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    "path",
    ["/assets/nothing.js", "/assets/notes.exe", "/assets/link.txt", "/assets/../../secret.txt", "/assets", "/x.svg"],
)
async def test_nothing_else_is_served(path: str, site: Client) -> None:
    async with site.get(path) as answer:
        assert answer.status == 404
        assert "secret" not in (await answer.text()).replace("secret.txt", "")


async def test_without_a_build_the_page_says_how_to_make_one(
    service: JobService, folders: Folders, tmp_path: Path
) -> None:
    app = make_app(service, folders, ServerSettings(token=TOKEN), tmp_path / "nothing")
    async with TestClient(TestServer(app)) as client, client.get("/") as answer:
        assert answer.status == 200
        assert "npm run build" in await answer.text()
