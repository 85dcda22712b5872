"""The form of a saved workflow at its own address, and addresses that lead to no form."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect


def test_an_address_that_means_nothing_opens_the_editor(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/#/form/%E0%A4%A")
    expect(page.get_by_role("spinbutton", name="steps")).to_be_visible()
