"""The catalogue over HTTP (promise P17), and the names of files."""

from __future__ import annotations

from engine.http.v1.nodes import CATALOGUE
from engine.jobs.service import JobService
from engine.node.folders import Folders
from engine.node.schema import NodeSchema
from tests.http.conftest import Client


async def test_every_node_is_described(client: Client, schemas: tuple[NodeSchema, ...]) -> None:
    async with client.get("/v1/nodes") as answer:
        told = await answer.json()
    assert [NodeSchema.model_validate(node) for node in told["nodes"]] == list(schemas)
    assert told["ready"] is True


async def test_an_unchanged_catalogue_is_not_sent_again(client: Client) -> None:
    async with client.get("/v1/nodes") as answer:
        tag = answer.headers["ETag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        async with client.get("/v1/nodes", headers={"If-None-Match": sent}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["ETag"] == tag
    async with client.get("/v1/nodes", headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


async def test_a_changed_catalogue_has_another_tag(
    client: Client, service: JobService, schemas: tuple[NodeSchema, ...]
) -> None:
    async with client.get("/v1/nodes") as answer:
        tag = answer.headers["ETag"]
    service.catalogue_arrived(schemas[1:], ())
    async with client.get("/v1/nodes", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200
        assert len((await answer.json())["nodes"]) == len(schemas) - 1


async def test_the_catalogue_is_serialised_once(client: Client, service: JobService) -> None:
    held = client.app[CATALOGUE]
    assert held.of(service)[1] is held.of(service)[1]


async def test_files_of_a_folder_are_listed_by_name(client: Client, folders: Folders) -> None:
    (folders.input / "b.png").write_bytes(b"")
    (folders.input / "a.png").write_bytes(b"")
    async with client.get("/v1/folders/input") as answer:
        names = (await answer.json())["names"]
    assert names == sorted(names) and {"a.png", "b.png", "house-map.png"} <= set(names)  # the last is an example


async def test_a_folder_that_is_not_there_is_not_found(client: Client) -> None:
    for name in ("nothing", "..", "%2e%2e%2fuser", "user"):
        async with client.get(f"/v1/folders/{name}") as answer:
            assert answer.status == 404
