"""Pages of other origins, in a browser that is signed in, can make the server do nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.browser.conftest import ROOT, Server

FOREIGN = "http://foreign.test/"
COUNT = "fetch('/v1/jobs?limit=1').then((answer) => answer.json()).then((jobs) => jobs.total)"
POST = """([url, kind, body, mode]) => fetch(url, {method: "POST", body, mode, credentials: "include",
    headers: {"Content-Type": kind}}).then((answer) => answer.status, () => "refused")"""
LISTEN = """url => new Promise((settle) => {
    const socket = new WebSocket(url);
    socket.onmessage = () => settle("heard");
    socket.onclose = () => settle("closed");
})"""


@pytest.fixture
def foreign(browser: Browser, login: StorageState) -> Iterator[Page]:
    """A page of another site."""
    context = browser.new_context(storage_state=login)
    context.route(f"{FOREIGN}**", lambda route: route.fulfill(content_type="text/html", body="<h1>Elsewhere</h1>"))
    page = context.new_page()
    page.goto(FOREIGN)
    yield page
    context.close()


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/run", "/prompt"])
def test_a_foreign_page_cannot_queue_a_job(foreign: Page, page: Page, server: Server, path: str, kind: str) -> None:
    workflow = json.loads((ROOT / "workflows" / "text_to_image.json").read_text())
    before = page.evaluate(COUNT)
    for mode in ("cors", "no-cors"):
        told = foreign.evaluate(POST, [server.address + path, kind, json.dumps({"workflow": workflow}), mode])
        assert told in ("refused", 0)
    assert page.evaluate(COUNT) == before


def test_a_foreign_form_cannot_queue_a_job(foreign: Page, page: Page, server: Server) -> None:
    before = page.evaluate(COUNT)
    foreign.set_content(
        f"""<form method="post" enctype="text/plain" action="{server.address}/v1/jobs">
            <input name='{{"prompt": {{}}, "a": "' value='"}}'><button>Go</button></form>"""
    )
    with foreign.expect_response(f"{server.address}/v1/jobs") as answer:
        foreign.get_by_role("button").click()
    assert answer.value.status in (401, 403, 415)
    assert page.evaluate(COUNT) == before


@pytest.mark.parametrize("path", ["/v1/events", "/ws"])
def test_a_foreign_page_cannot_listen(foreign: Page, page: Page, server: Server, path: str) -> None:
    address = server.address.replace("http", "ws") + path
    assert foreign.evaluate(LISTEN, address) == "closed"
    assert page.evaluate(LISTEN, address) == "heard"


def test_a_foreign_page_cannot_frame_the_editor(foreign: Page, server: Server) -> None:
    foreign.set_content(f'<iframe src="{server.address}/"></iframe>')
    assert foreign.frame_locator("iframe").locator("#root").count() == 0
