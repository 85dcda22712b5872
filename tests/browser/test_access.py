"""Everybody can use it: axe finds nothing in any panel in either theme, and the keyboard reaches everything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT
from tests.browser.editor import Editor

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe is not installed (cd web && npm ci)")
PANELS = [
    ("Nodes", "Queue"),
    ("Workflows", "History"),
    ("Templates", "Gallery"),
    ("Settings", "Problems"),
    (None, "Help"),
]


def faults(page: Page, within: str = "body") -> list[str]:
    """What axe finds against WCAG 2.1 A and AA."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate(
        """async (within) => {
            const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
            const { violations } = await axe.run(within, { runOnly: tags, resultTypes: ["violations"] });
            return violations.flatMap(({ id, nodes }) =>
                nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.failureSummary}`));
        }""",
        within,
    )
    return [str(each) for each in found]


@needs_axe
@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_axe_finds_nothing_in_any_panel(editor: Editor, theme: str) -> None:
    page = editor.page
    editor.open_panel("Settings").get_by_role("radio", name=theme).click()
    expect(page.locator("html")).to_have_attribute("data-theme", theme.lower())
    editor.choose("KSampler")
    for left, right in PANELS:
        if left is not None:
            editor.open_panel(left)
        editor.open_panel(right)
        page.wait_for_timeout(300)  # colours come by transitions
        assert faults(page) == [], f"{left} and {right} in {theme}"


@needs_axe
@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_axe_finds_nothing_in_dialogs_menus_and_the_form(editor: Editor, theme: str) -> None:
    page = editor.page
    editor.open_panel("Settings").get_by_role("radio", name=theme).click()
    editor.close_panel("Settings")

    def look(what: str) -> None:
        page.wait_for_timeout(300)
        assert faults(page, "dialog, [role=menu]" if what != "form" else "body") == [], f"{what} in {theme}"
        page.keyboard.press("Escape")

    page.keyboard.press("?")
    look("shortcuts")
    page.keyboard.press("Control+s")
    look("save as")
    page.mouse.dblclick(*editor.empty_place())
    look("search")
    page.get_by_role("button", name="More ways to run").click()
    page.get_by_role("menuitem", name="Sweep…").click()
    look("sweep")
    page.get_by_role("button", name="Menu", exact=True).click()
    look("menu")
    page.get_by_role("radio", name="Form").click()
    look("form")


def test_tab_walks_from_the_menu_to_the_run_button_and_on_to_the_panels(editor: Editor) -> None:
    page = editor.page
    page.get_by_role("button", name="Menu", exact=True).focus()
    seen: list[str] = []
    while "Gallery" not in seen and len(seen) < 200:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent"))
    order = [
        seen.index(name) for name in ("Run", "More ways to run", "Nodes", "Keyboard shortcuts", "Queue", "Gallery")
    ]
    assert order == sorted(order)


def test_the_shortcuts_page_lists_the_keys(editor: Editor) -> None:
    editor.page.keyboard.press("?")
    dialog = editor.page.get_by_role("dialog")
    for words in ("Bypass", "Mute", "Group", "Undo", "Add a node"):
        expect(dialog).to_contain_text(words)
    editor.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_dialog_gives_the_focus_back_to_what_opened_it(editor: Editor) -> None:
    opener = editor.page.get_by_role("button", name="Keyboard shortcuts")
    opener.focus()
    editor.page.keyboard.press("Enter")
    expect(editor.page.get_by_role("dialog")).to_be_visible()
    editor.page.keyboard.press("Escape")
    expect(opener).to_be_focused()
