"""A workflow as a page that asks for a few things: in the editor, at its own address, on a phone."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ROOT
from tests.browser.editor import Editor, shown

PHONE = {"width": 390, "height": 844}


def ask(page: Page, seed: int) -> None:
    """Fill in the suggested page so that the run is short, and another one than those of other tests."""
    form = page.get_by_role("form", name="Fill in")
    for role, label, value in (("spinbutton", "Steps", "2"), ("textbox", "Seed", str(seed))):
        field = form.get_by_role(role, name=label)  # pyright: ignore[reportArgumentType]
        field.fill(value)
        field.press("Tab")


def develop(page: Page) -> None:
    """Press the big button, and expect the picture."""
    page.get_by_role("form", name="Fill in").get_by_role("button", name="Run", exact=True).click()
    results = page.get_by_role("region", name="Results")
    shown(results.get_by_role("img", name="The result"))
    expect(results.get_by_role("button", name="Download")).to_be_visible()


def test_the_form_of_the_template_runs_and_shows_its_picture(editor: Editor) -> None:
    editor.page.get_by_role("radio", name="Form").click()
    expect(editor.page.get_by_role("heading", level=1, name="A picture from words")).to_be_visible()
    ask(editor.page, 101)
    develop(editor.page)


def test_the_form_fits_a_phone_and_runs_there(context: BrowserContext) -> None:
    page = context.new_page()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto("/#/form/text_to_image")
    expect(page.get_by_role("heading", level=1, name="A picture from words")).to_be_visible()
    ask(page, 102)
    develop(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    button = page.get_by_role("form", name="Fill in").get_by_role("button", name="Run", exact=True).bounding_box()
    assert button is not None
    assert button["height"] >= 40


def test_an_input_that_is_chosen_is_asked_for_and_one_taken_off_is_not(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("radio", name="Form").click()
    page.get_by_role("button", name="Edit form").click()
    choices = page.get_by_role("group", name="Sampler")
    cfg, steps = choices.get_by_role("checkbox", name="cfg"), choices.get_by_role("checkbox", name="steps")
    steps.set_checked(True)
    cfg.set_checked(False)
    cfg.set_checked(True)
    page.get_by_role("textbox", name="Label of cfg").fill("How strictly")
    steps.set_checked(False)
    page.get_by_role("button", name="Done").click()
    form = page.get_by_role("form", name="Fill in")
    expect(form.get_by_role("spinbutton", name="How strictly")).to_be_visible()
    expect(form.get_by_role("spinbutton", name="Steps")).to_have_count(0)
    form.get_by_role("spinbutton", name="How strictly").fill("2.5")
    form.get_by_role("spinbutton", name="How strictly").press("Tab")
    page.get_by_role("radio", name="Graph").click()
    expect(editor.node("KSampler").get_by_label("cfg", exact=True)).to_have_value("2.5")


def test_a_saved_workflow_has_a_form_at_its_own_address(context: BrowserContext, page: Page) -> None:
    workflow = json.loads((ROOT / "workflows" / "text_to_image.json").read_text())
    workflow["nodes"]["sampler"]["inputs"] |= {"steps": 2, "seed": 103}
    workflow["form"] = {
        "inputs": ["prompt.text"],
        "outputs": ["save"],
        "title": "Ask for a picture",
        "help": "**Say** it.",
    }
    saved = page.evaluate(
        """workflow => fetch("/v1/workflows/asking%20nicely", {method: "PUT", body: JSON.stringify({workflow}),
            headers: {"Content-Type": "application/json", "If-None-Match": "*"}}).then((answer) => answer.status)""",
        workflow,
    )
    assert saved in (200, 201)
    visitor = context.new_page()
    visitor.goto("/#/form/asking%20nicely")
    expect(visitor.get_by_role("heading", level=1, name="Ask for a picture")).to_be_visible()
    expect(visitor.get_by_role("strong")).to_have_text("Say")
    form = visitor.get_by_role("form", name="Fill in")
    expect(form.get_by_role("textbox")).to_have_count(1)
    expect(visitor.get_by_role("button", name="Edit form")).to_have_count(0)
    form.get_by_role("textbox").fill("a green leaf")
    develop(visitor)
    visitor.get_by_role("button", name="Open the graph").click()
    there = Editor(visitor)
    expect(there.node("What to draw").get_by_label("text", exact=True)).to_have_value("a green leaf")


@pytest.mark.parametrize("name", ["never saved", "%E0%A4%A", "../../etc/passwd"])
def test_the_address_of_a_form_that_is_not_there_says_so(context: BrowserContext, name: str) -> None:
    page = context.new_page()
    page.goto(f"/#/form/{name}")
    if name.startswith("%"):
        expect(page.get_by_role("spinbutton", name="steps")).to_be_visible()
    else:
        expect(page.get_by_text("cannot be opened").first).to_be_visible()
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
