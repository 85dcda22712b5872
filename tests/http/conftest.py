"""The real application with the real job service and database, without a worker; and clients to ask it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from engine.http.app import make_app
from engine.http.keys import ServerSettings
from engine.jobs.service import JobService
from engine.node.folders import Folders
from engine.node.registry import Registry
from engine.node.schema import NodeSchema
from tests.http.live import Live, live_server

TOKEN = "the-token-of-the-tests-0123456789"
NODES = '''
    """Words in, a text file out."""

    from engine.node import Context, Multiline, Shown, Steps, node


    @node(category="words", aliases=("Text",))
    def Words(text: Multiline = "hello", steps: Steps = 2) -> str:
        """Give some words."""
        return text


    @node(category="words/files", output=True)
    def SaveWords(words: str, ctx: Context, filename_prefix: str = "words") -> Shown:
        """Save words to a text file."""
        path = ctx.folders.save(words.encode(), filename_prefix, ".txt")
        return Shown(ui={"files": [{"path": path.relative_to(ctx.folders.output).as_posix()}]})
'''

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> tuple[NodeSchema, ...]:
    """The schemas that a worker would send."""
    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "words.py").write_text(dedent(NODES))
    return tuple(Registry.open((plugins,), installed=False).catalogue)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    folders = Folders.under(tmp_path)
    folders.input.mkdir()
    return folders


@pytest.fixture
async def service(folders: Folders, schemas: tuple[NodeSchema, ...]) -> AsyncGenerator[JobService]:
    service = await JobService.open(folders)
    service.catalogue_arrived(schemas, ())
    yield service
    await service.close()


@pytest.fixture
async def make_client(service: JobService, folders: Folders) -> AsyncGenerator[MakeClient]:
    """Make a client of a server with these settings."""
    clients: list[Client] = []

    async def make(**settings: object) -> Client:
        app = make_app(service, folders, replace(ServerSettings(token=TOKEN), **settings))
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def client(make_client: MakeClient) -> Client:
    """A program on the same machine."""
    return await make_client()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Generator[Live]:
    """A server with a worker, shared by the tests that run something."""
    with live_server(tmp_path_factory.mktemp("live")) as live:
        yield live


@pytest.fixture
async def session(live: Live) -> AsyncGenerator[ClientSession]:
    """A program that asks the live server."""
    async with ClientSession(live.url) as session:
        yield session


def words(text: str = "good", **inputs: object) -> dict[str, object]:
    """A workflow of two nodes that saves a text."""
    return {
        "darkroom": 1,
        "nodes": {
            "words": {"type": "Words", "inputs": {"text": text, **inputs}},
            "save": {"type": "SaveWords", "inputs": {"words": {"from": "words.string"}}},
        },
    }
