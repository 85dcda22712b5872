"""Everything without a mouse: into a node's widgets, and out of every dialog and menu."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.editor import Editor

FOCUSED = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def tab_to(page: Page, name: str, most: int = 150) -> None:
    """Press Tab until what bears this name has the focus."""
    seen: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
        if seen[-1] == name:
            return
    raise AssertionError(f"Tab did not reach {name}, but {seen}")


def test_tab_reaches_the_widgets_of_a_node_and_keys_change_them(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("button", name="Menu", exact=True).focus()
    steps = editor.node("KSampler").get_by_label("steps", exact=True)
    for _ in range(150):
        page.keyboard.press("Tab")
        if steps.evaluate("field => field === document.activeElement"):
            break
    expect(steps).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(steps).to_have_value("31")


def test_a_run_is_started_with_tab_and_enter(editor: Editor) -> None:
    editor.quick(451)
    editor.page.get_by_role("button", name="Menu", exact=True).focus()
    tab_to(editor.page, "Run", 20)
    editor.page.keyboard.press("Enter")
    expect(editor.picture()).to_be_visible()


@pytest.mark.parametrize("panel", ["Nodes", "Workflows", "Settings", "Queue", "Gallery", "Problems"])
def test_a_panel_is_opened_and_closed_with_tab_and_enter(editor: Editor, panel: str) -> None:
    page = editor.page
    button = page.get_by_role("navigation").get_by_role("button", name=panel, exact=True)
    button.focus()
    page.keyboard.press("Enter")
    region = page.get_by_role("region", name=panel, exact=True)
    expect(region).to_be_visible()
    region.get_by_role("button", name=f"Close {panel}").press("Enter")
    expect(region).to_have_count(0)


@pytest.mark.parametrize(
    ("keys", "name"),
    [("?", "Keyboard and mouse"), ("Control+s", "Save as"), ("n", "Add node"), ("w", "Connect KSampler")],
)
def test_a_dialog_is_opened_with_keys_keeps_the_focus_and_closes_with_escape(
    editor: Editor, keys: str, name: str
) -> None:
    editor.choose("KSampler")
    editor.page.keyboard.press(keys)
    dialog = editor.page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    editor.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_sweep_is_asked_for_and_left_with_keys(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("button", name="More ways to run").press("Enter")
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    page.get_by_role("button", name="More ways to run").press("Enter")
    page.keyboard.press("s")
    expect(page.get_by_role("menuitem", name=re.compile("^Sweep"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Sweep")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_graph_is_skipped_in_one_step(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("button", name="Menu", exact=True).focus()
    tab_to(page, "Skip the graph", 40)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation").get_by_role("button", name="Queue", exact=True)).to_be_focused()


def test_buttons_of_a_node_are_stops_only_while_it_is_selected(editor: Editor) -> None:
    node = editor.node("KSampler")
    expect(node.get_by_role("button", name="Collapse")).to_have_attribute("tabindex", "-1")
    editor.choose("KSampler")
    for name in ("Collapse", "Help", "More"):
        expect(node.get_by_role("button", name=name)).to_have_attribute("tabindex", "0")
