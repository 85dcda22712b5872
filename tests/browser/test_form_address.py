"""The form of a saved workflow at its own address, and addresses that lead to no form."""

from __future__ import annotations

import json

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ROOT
from tests.browser.editor import Editor, shown


def test_a_saved_workflow_has_a_form_at_its_own_address(context: BrowserContext, page: Page) -> None:
    workflow = json.loads((ROOT / "workflows" / "text_to_image.json").read_text())
    workflow["nodes"]["sampler"]["inputs"] |= {"steps": 2, "seed": 251}
    workflow["form"] = {"inputs": ["prompt.text"], "outputs": ["save"], "title": "Ask for it", "help": "**Say** it."}
    saved = page.evaluate(
        """workflow => fetch("/v1/workflows/asking%20nicely", {method: "PUT", body: JSON.stringify({workflow}),
            headers: {"Content-Type": "application/json", "If-None-Match": "*"}}).then((answer) => answer.status)""",
        workflow,
    )
    assert saved in (200, 201)
    visitor = context.new_page()
    visitor.goto("/#/form/asking%20nicely")
    expect(visitor.get_by_role("heading", level=1, name="Ask for it")).to_be_visible()
    expect(visitor.get_by_role("strong")).to_have_text("Say")
    expect(visitor.get_by_role("button", name="Edit form")).to_have_count(0)
    form = visitor.get_by_role("form", name="Fill in")
    expect(form.get_by_role("textbox")).to_have_count(1)
    form.get_by_role("textbox").fill("a green leaf")
    form.get_by_role("button", name="Run", exact=True).click()
    shown(visitor.get_by_role("region", name="Results").get_by_role("img", name="The result"))
    visitor.get_by_role("button", name="Open the graph").click()
    expect(Editor(visitor).node("What to draw").get_by_label("text", exact=True)).to_have_value("a green leaf")


def test_an_address_that_means_nothing_opens_the_editor(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/#/form/%E0%A4%A")
    expect(page.get_by_role("spinbutton", name="steps")).to_be_visible()
