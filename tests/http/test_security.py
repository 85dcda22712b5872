"""Promises S1, S2, S3 and S6: every route under every combination of Host, Origin, credentials and content type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError

from engine.http.access import LAUNCH_S, SESSION_S, Access, token_at
from engine.http.app import launch_url
from engine.http.keys import ROUTES, ServerSettings
from engine.http.openapi import PATH_PART
from engine.http.route import Route
from engine.http.security import ACCESS, DATA_POLICY, PAGE_POLICY
from tests.http.conftest import TOKEN, Client, MakeClient

REFUSALS = {"wrong_host", "wrong_origin", "no_origin", "wrong_site", "not_signed_in", "not_json"}
SEEN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
OWN, OTHER = "http://{host}", "http://evil.example"
STRANGE_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/png")


@dataclass(frozen=True)
class Case:
    """A way to ask, and what becomes of it: None is let through, else the code of the refusal."""

    name: str
    headers: Mapping[str, str]
    reading: str | None
    changing: str | None = "as reading"
    cookie: bool = False
    settings: Mapping[str, object] = field(default_factory=dict[str, object])

    def wanted(self, changes: bool) -> str | None:
        return self.changing if changes and self.changing != "as reading" else self.reading


REMOTE = {"host": "0.0.0.0"}
STRICT = {"require_token": True}
CORS = {"cors_origin": "http://app.example:5173"}
CASES = (
    Case("a program here", {}, None),
    Case("a program here with the token", BEARER, None),
    Case("a program here with a wrong token", {"Authorization": "Bearer wrong"}, "not_signed_in"),
    Case("a program here with a password", {"Authorization": "Basic eDp5"}, "not_signed_in"),
    Case("a program here, token required", {}, "not_signed_in", settings=STRICT),
    Case("a program here with the token, required", BEARER, None, settings=STRICT),
    Case("a program that calls us localhost", {"Host": "localhost:{port}"}, None),
    Case("a program that calls us ::1", {"Host": "[::1]:{port}"}, None),
    Case("a program behind a proxy here", {"X-Forwarded-For": "203.0.113.9"}, "not_signed_in"),
    Case("a program behind another proxy here", {"Forwarded": "for=203.0.113.9"}, "not_signed_in"),
    Case("a program off loopback", {}, "not_signed_in", settings=REMOTE),
    Case("a program off loopback with the token", BEARER, None, settings=REMOTE),
    Case(
        "a program off loopback with a wrong token",
        {"Authorization": f"Bearer {TOKEN}x"},
        "not_signed_in",
        settings=REMOTE,
    ),
    Case("a re-bound name", {"Host": "evil.example"}, "wrong_host"),
    Case("a re-bound name with our port", {"Host": "evil.example:{port}"}, "wrong_host"),
    Case("a re-bound name off loopback", {"Host": "evil.example", **BEARER}, "wrong_host", settings=REMOTE),
    Case("a re-bound name with the token", {"Host": "evil.example", **BEARER}, "wrong_host"),
    Case("a name that begins like ours", {"Host": "localhost.evil.example"}, "wrong_host"),
    Case("a name that ends like ours", {"Host": "evil-localhost"}, "wrong_host"),
    Case("a number that is not ours", {"Host": "192.0.2.7:8188"}, "wrong_host"),
    Case("a number off loopback", {"Host": "192.0.2.7:8188", **BEARER}, None, settings=REMOTE),
    Case("a name with a user", {"Host": "localhost@evil.example"}, "wrong_host"),
    Case("an empty name", {"Host": ""}, "wrong_host"),
    Case(
        "a name that was allowed",
        {"Host": "studio.example"},
        "not_signed_in",
        settings={"allowed_hosts": ("studio.example",)},
    ),
    Case(
        "a name that was allowed, with the token",
        {"Host": "studio.example", **BEARER},
        None,
        settings={"allowed_hosts": ("studio.example",)},
    ),
    Case("our page", {"Origin": OWN, **SEEN}, None, cookie=True),
    Case("our page, token required", {"Origin": OWN, **SEEN}, None, cookie=True, settings=STRICT),
    Case("our page off loopback", {"Origin": OWN, **SEEN}, None, cookie=True, settings=REMOTE),
    Case("our page without Sec-Fetch", {"Origin": OWN}, None, cookie=True),
    Case("our page without a cookie", {"Origin": OWN, **SEEN}, "not_signed_in"),
    Case("our page without an origin", SEEN, None, "no_origin", cookie=True),
    Case("a cookie alone", {}, None, "no_origin", cookie=True),
    Case("a browser without a cookie", SEEN, "not_signed_in", "no_origin"),
    Case("a browser with the token", {"Origin": OWN, **SEEN, **BEARER}, None),
    Case("another page", {"Origin": OTHER, "Sec-Fetch-Site": "cross-site"}, "wrong_origin"),
    Case("another page with a cookie", {"Origin": OTHER, "Sec-Fetch-Site": "cross-site"}, "wrong_origin", cookie=True),
    Case("another page with the token", {"Origin": OTHER, **BEARER}, "wrong_origin"),
    Case(
        "another port here",
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
        "wrong_origin",
        cookie=True,
    ),
    Case(
        "a picture on a page of another port",
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        "wrong_site",
        "no_origin",
        cookie=True,
    ),
    Case(
        "a link on a page of another port",
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        None,
        "no_origin",
        cookie=True,
    ),
    Case(
        "a frame on a page of another port",
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        "wrong_site",
        "no_origin",
        cookie=True,
    ),
    Case("no origin at all", {"Origin": "null", **SEEN}, "wrong_origin", cookie=True),
    Case("no origin at all, with the token", {"Origin": "null", **BEARER}, "wrong_origin"),
    Case("an origin that begins like ours", {"Origin": OWN + ".evil.example"}, "wrong_origin", cookie=True),
    Case("an origin of a file", {"Origin": "file://{host}"}, "wrong_origin", cookie=True),
    Case("a page that was allowed, with the token", {"Origin": CORS["cors_origin"], **BEARER}, None, settings=CORS),
    Case("a page that was allowed, without", {"Origin": CORS["cors_origin"]}, "not_signed_in", settings=CORS),
    Case("a page that was not allowed", {"Origin": OTHER, **BEARER}, "wrong_origin", settings=CORS),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_route_lets_in_whom_it_should_and_nobody_else(case: Case, make_client: MakeClient) -> None:
    client = await make_client(**case.settings)
    headers = headers_of(case, client)
    wrong: dict[str, str | None] = {}
    for route in client.app[ROUTES]:
        refused = await refusal(client, route, {**headers, "Content-Type": "application/json"})
        if refused != case.wanted(route.method != "GET" or route.websocket):
            wrong[f"{route.method} {route.path}"] = refused
    assert not wrong


@pytest.mark.parametrize("content_type", STRANGE_TYPES)
async def test_a_body_that_is_not_called_json_is_taken_from_programs_only(content_type: str, client: Client) -> None:
    sent = {"Content-Type": content_type}
    page = {**sent, "Origin": f"http://{host(client)}", "Cookie": cookie(client)}
    for route in client.app[ROUTES]:
        if takes_json(route) and content_type not in route.takes:
            assert await refusal(client, route, sent) is None, route
            assert await refusal(client, route, page) == "not_json", route


async def test_a_body_without_a_type_is_refused_from_browsers(client: Client) -> None:
    page = {"Origin": f"http://{host(client)}", "Cookie": cookie(client), "Content-Type": ""}
    for route in client.app[ROUTES]:
        if takes_json(route):
            assert await refusal(client, route, page) == "not_json", route


async def test_a_page_of_another_origin_may_not_ask_whether_it_may_ask(client: Client) -> None:
    asked = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}
    for route in client.app[ROUTES]:
        async with client.options(path_of(route), headers=asked) as answer:
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_that_was_allowed_is_told_so_and_needs_a_token(make_client: MakeClient) -> None:
    client = await make_client(**CORS)
    asked = {"Origin": CORS["cors_origin"], "Access-Control-Request-Method": "POST"}
    async with client.options("/v1/jobs", headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == CORS["cors_origin"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    async with client.get("/v1/queue", headers={"Origin": CORS["cors_origin"], **BEARER}) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == CORS["cors_origin"]


async def test_every_answer_has_the_security_headers(client: Client) -> None:
    for route in client.app[ROUTES]:
        if route.websocket:
            continue
        async with client.request(route.method, path_of(route)) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff", route
            assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin"), route
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", route
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, route
            assert "unsafe" not in policy, route


async def test_pages_may_run_our_scripts_and_data_none(client: Client) -> None:
    async with client.get("/") as page, client.get("/v1/queue") as data:
        assert page.headers["Content-Security-Policy"] == PAGE_POLICY
        assert data.headers["Content-Security-Policy"] == DATA_POLICY


async def test_a_launch_link_opens_the_editor_once(make_client: MakeClient) -> None:
    client = await make_client(host="0.0.0.0")
    link = launch_url(client.app).partition("8188")[2]
    async with client.get(link, headers={"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}) as answer:
        assert answer.status == 200
        (made,) = answer.headers.getall("Set-Cookie")
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
            assert part in made
    client.session.cookie_jar.clear()
    async with client.get("/", headers={"Cookie": made.partition(";")[0]}) as answer:
        assert answer.status == 200
    async with client.get(link) as answer:
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers


async def test_a_launch_link_that_was_made_up_opens_nothing(make_client: MakeClient) -> None:
    client = await make_client(host="0.0.0.0")
    for link in ("/?launch=", "/?launch=x", "/?launch=%00%ff", f"/?launch={TOKEN}"):
        async with client.get(link) as answer:
            assert answer.status == 401
            assert "Set-Cookie" not in answer.headers


async def test_the_sign_in_page_takes_the_token_and_nothing_else(make_client: MakeClient) -> None:
    client = await make_client(host="0.0.0.0")
    page = {"Origin": f"http://{host(client)}"}
    async with client.get("/", headers={"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}) as answer:
        assert answer.status == 401
        assert 'action="/sign-in"' in await answer.text()
    async with client.post("/sign-in", data={"token": "wrong"}, headers=page) as answer:
        assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)
    async with client.post("/sign-in", data={"token": TOKEN}, headers={"Origin": OTHER}) as answer:
        assert (answer.status, "Set-Cookie" in answer.headers) == (403, False)
    async with client.post("/sign-in", json={"token": TOKEN}, headers=page) as answer:
        assert (answer.status, "Set-Cookie" in answer.headers) == (415, False)
    async with client.post("/sign-in", data={"token": TOKEN}, headers=page) as answer:
        assert (answer.status, "Set-Cookie" in answer.headers) == (200, True)


async def test_a_link_on_another_site_leads_to_the_editor_all_the_same(client: Client) -> None:
    came = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    async with client.get("/", headers={**came, "Accept": "text/html"}) as answer:
        assert answer.status == 401
        assert 'http-equiv="refresh"' in await answer.text()


async def test_a_session_outlives_the_server_but_not_its_token_or_time() -> None:
    now = 1_000_000.0
    access = Access(ServerSettings(token=TOKEN), clock=lambda: now)
    session = access.new_session()
    assert access.is_session(session)
    assert Access(ServerSettings(token=TOKEN), clock=lambda: now + SESSION_S - 1).is_session(session)
    assert not Access(ServerSettings(token=TOKEN), clock=lambda: now + SESSION_S).is_session(session)
    assert not Access(ServerSettings(token=TOKEN[::-1]), clock=lambda: now).is_session(session)
    later = "9" + session
    assert not access.is_session(later)
    for made_up in ("", ".", "..", "1.2.3", session[:-1], session + "0", "é" + session):
        assert not access.is_session(made_up)


async def test_a_launch_link_is_good_for_a_day() -> None:
    now = [1_000_000.0]
    access = Access(ServerSettings(token=TOKEN), clock=lambda: now[0])
    fresh, stale = access.new_launch(), access.new_launch()
    now[0] += LAUNCH_S - 1
    assert access.redeem(fresh)
    now[0] += 1
    assert not access.redeem(stale)


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "user" / "token"
    token = token_at(path)
    assert len(token) >= 32
    assert token_at(path) == token
    assert path.stat().st_mode & 0o777 == 0o600


def headers_of(case: Case, client: Client) -> dict[str, str]:
    names = {"host": case.headers.get("Host", host(client)), "port": client.port}
    names["host"] = names["host"].replace("{port}", str(client.port))
    sent = {key: value.format(**names) for key, value in case.headers.items()}
    return sent | ({"Cookie": cookie(client)} if case.cookie else {})


def host(client: Client) -> str:
    return f"{client.host}:{client.port}"


def cookie(client: Client) -> str:
    access = client.app[ACCESS]
    return f"{access.cookie}={access.new_session()}"


def path_of(route: Route) -> str:
    return PATH_PART.sub(lambda part: {"type": "output", "name": "x.png"}.get(part[1], "x"), route.path)


def takes_json(route: Route) -> bool:
    return route.body is not None or "application/json" in route.takes


async def refusal(client: Client, route: Route, headers: Mapping[str, str]) -> str | None:
    """The code with which the guard refuses, None when it lets a request through."""
    if route.websocket:
        try:
            async with client.ws_connect(path_of(route), headers=headers):
                return None
        except WSServerHandshakeError as error:
            assert error.status in (401, 403)
            # A websocket's refusal has no body for the client to read; ask again by hand.
            headers = {**headers, "Upgrade": "websocket", "Connection": "Upgrade"}
    async with client.request(route.method, path_of(route), headers=headers, data=b"?") as answer:
        if answer.status not in (401, 403, 415):
            return None
        if answer.content_type != "application/json":
            return "not_signed_in"
        code = (await answer.json())["error"]["code"]
        return code if code in REFUSALS else None
