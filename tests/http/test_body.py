"""Promise S11: what comes in as JSON is held to its limits, whichever route it goes to."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from engine.http.body import JSON_BYTES
from engine.http.keys import ROUTES
from tests.http.conftest import Client, words
from tests.http.test_security import path_of

BAD = {
    "bad_json": b'{"workflow": ',
    "empty_json": b" ",
    "duplicate_key": b'{"workflow": 1, "workflow": 2}',
    "number_not_finite": b'{"workflow": 1e999}',
    "number_too_large": b'{"workflow": 99999999999999999999999}',
    "json_too_deep": b'{"workflow": ' + b"[" * 70 + b"]" * 70 + b"}",
    "bad_encoding": b'{"workflow": "\xff"}',
    "bad_text": rb'{"workflow": "\ud800"}',
}


@pytest.mark.parametrize("code", BAD)
async def test_every_route_refuses_json_that_is_none(code: str, client: Client) -> None:
    for route in client.app[ROUTES]:
        if route.body is not None:
            async with client.request(route.method, path_of(route), data=BAD[code]) as answer:
                assert answer.status == 400, route
                assert (await answer.json())["error"]["code"] == code, route


@pytest.mark.parametrize("value", [b"[]", b"1", b'"text"', b"null", b"true"])
async def test_every_route_refuses_json_that_is_no_object(value: bytes, client: Client) -> None:
    for route in client.app[ROUTES]:
        if route.body is not None:
            async with client.request(route.method, path_of(route), data=value) as answer:
                assert answer.status == 400, route
                assert (await answer.json())["error"]["code"] == "bad_body", route


async def test_a_body_over_eight_megabytes_is_refused(client: Client) -> None:
    large = b'{"workflow": "' + b"x" * JSON_BYTES + b'"}'
    async with client.post("/v1/validate", data=io.BytesIO(large)) as answer:
        assert answer.status == 413
        assert "error" in await answer.json()


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(client: Client) -> None:
    packed = gzip.compress(json.dumps({"workflow": "x" * 4 * JSON_BYTES}).encode())
    async with client.post("/v1/validate", data=packed, headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 413


async def test_a_packed_body_is_read(client: Client) -> None:
    packed = gzip.compress(b'{"workflow": {}}')
    async with client.post("/v1/validate", data=packed, headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 200


async def test_integers_up_to_64_bits_stay_exact(client: Client) -> None:
    wish = {"workflow": words(), "extra": {"seed": 2**64 - 1}}
    async with client.post("/v1/jobs", json=wish) as answer:
        (job,) = (await answer.json())["jobs"]
    async with client.get(f"/v1/jobs/{job['id']}") as answer:
        assert (await answer.json())["extra"] == wish["extra"]
