"""The ways in, and the page of the API, in a browser that keeps cookies and policies as browsers do."""

from __future__ import annotations

from playwright.sync_api import Browser, StorageState, expect

from tests.browser.conftest import Server


def test_a_stranger_signs_in_with_the_token(browser: Browser, server: Server) -> None:
    page = browser.new_context(base_url=server.address).new_page()
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == 401
    page.get_by_label("Access token").fill("a wrong token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not this server's")
    page.get_by_label("Access token").fill((server.home / "user" / "token").read_text())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server.address}/")
    assert page.evaluate("fetch('/v1/queue', {method: 'PATCH', body: '{}'}).then((answer) => answer.status)") == 415
    assert page.evaluate("fetch('/v1/queue').then((answer) => answer.status)") == 200
    page.context.close()


def test_a_link_on_another_site_opens_what_was_signed_in(browser: Browser, server: Server, login: StorageState) -> None:
    page = browser.new_context(storage_state=login).new_page()
    page.set_content(f'<a href="{server.address}/">Darkroom</a>')
    page.get_by_role("link").click()
    page.wait_for_function("fetch('/v1/queue').then((answer) => answer.status === 200)")
    assert page.url == f"{server.address}/"
    page.context.close()


def test_the_api_page_shows_every_route_and_tries_one(browser: Browser, server: Server, login: StorageState) -> None:
    page = browser.new_context(storage_state=login, base_url=server.address).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/v1/docs")
    page.get_by_role("searchbox").fill("list jobs running")
    shown = page.locator(".route:visible")
    expect(shown).to_have_count(1)
    shown.locator("summary").first.click()
    shown.get_by_role("button", name="Send GET").click()
    expect(shown.locator("pre")).to_contain_text('"total"')
    assert [each for each in complaints if "favicon" not in each and "404" not in each] == []
    page.context.close()
