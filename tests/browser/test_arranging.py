"""Nodes brought into order by the menu, and the map in the corner."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.editor import Editor

CHOSEN = ("What to draw", "What to avoid", "Empty Latent")


def align(editor: Editor, entry: str) -> None:
    """Choose from the Align menu of the selected nodes."""
    editor.page.mouse.click(*editor.grip(CHOSEN[0]), button="right")
    editor.page.get_by_role("menuitem", name="Align…").click()
    editor.page.get_by_role("menu", name="Align").get_by_role("menuitem", name=entry).click()


def test_nodes_are_aligned_by_the_menu_and_undo_puts_them_back(editor: Editor) -> None:
    before = editor.box("Empty Latent")
    editor.choose(*CHOSEN)
    align(editor, "Right edges")

    def rights() -> list[float]:
        return [box["x"] + box["width"] for box in map(editor.box, CHOSEN)]

    editor.until(lambda: max(rights()) - min(rights()) < 1)
    editor.page.keyboard.press("Control+z")
    editor.until(lambda: max(rights()) - min(rights()) > 5)
    assert abs(editor.box("Empty Latent")["y"] - before["y"]) < 2


def test_nodes_are_spread_evenly_by_the_menu(editor: Editor) -> None:
    x, y = editor.grip("What to avoid")
    editor.drag((x, y), (x, y + 14))
    editor.page.mouse.click(*editor.empty_place())
    editor.choose(*CHOSEN)

    def gaps() -> tuple[float, float]:
        above, middle, below = map(editor.box, CHOSEN)
        return middle["y"] - above["y"] - above["height"], below["y"] - middle["y"] - middle["height"]

    first, second = gaps()
    assert abs(first - second) > 5
    align(editor, "Spread vertically")
    editor.until(lambda: abs(gaps()[0] - gaps()[1]) < 9)  # within a step of the grid


def test_the_map_shows_the_way_and_a_press_on_it_goes_there(editor: Editor) -> None:
    page = editor.page
    map_ = page.get_by_label("Map of the workflow")
    if map_.count() == 0:
        editor.open_panel("Settings").get_by_label(re.compile("[Mm]ap")).check()
        editor.close_panel("Settings")
    expect(map_).to_be_visible()
    pixels = map_.evaluate(
        """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]
            .filter((value, index) => index % 4 === 3 && value > 0).length"""
    )
    assert pixels > 100
    box = map_.bounding_box()
    assert box is not None
    before = editor.box("KSampler")
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    editor.until(lambda: editor.box("KSampler")["x"] < before["x"] - 50)
