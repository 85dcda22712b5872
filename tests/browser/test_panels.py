"""The panels: the queue, the history, the gallery, templates, and workflows kept on the server and as files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Server
from tests.browser.editor import Editor, shown
from tests.browser.test_access import AXE, faults


@pytest.fixture
def queue_goes_on(page: Page) -> Iterator[None]:
    """Whatever a test does to the queue, the next one finds it going and empty."""
    yield
    page.evaluate(
        """async () => {
            const headers = { "content-type": "application/json" };
            await fetch("/v1/jobs/cancel", { method: "POST", headers, body: '{"ids": null}' });
            await fetch("/v1/queue", { method: "PATCH", headers, body: '{"paused": false}' });
        }"""
    )


def fine(editor: Editor) -> None:
    """Expect a dialog that axe finds nothing in, where axe is installed."""
    if AXE.is_file():
        editor.page.wait_for_timeout(300)  # it comes by a transition
        assert faults(editor.page, "dialog") == []


def make(editor: Editor, seed: int) -> None:
    """Make a picture with this seed."""
    editor.quick(seed)
    editor.page.keyboard.press("Control+Enter")
    expect(editor.node_in_state("Save Image", "done")).to_be_visible()
    shown(editor.picture())


def saved_as(editor: Editor, name: str) -> None:
    editor.page.keyboard.press("Control+s")
    dialog = editor.page.get_by_role("dialog", name="Save as")
    expect(dialog.get_by_role("textbox", name="Name")).to_be_focused()
    editor.page.keyboard.type(name)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(editor.page.get_by_role("tab", name=name)).to_be_visible()
    editor.count("Saved")


@pytest.mark.usefixtures("queue_goes_on")
def test_a_paused_queue_keeps_runs_that_are_reordered_deleted_and_then_made(editor: Editor) -> None:
    page = editor.page
    panel = editor.open_panel("Queue")
    panel.get_by_role("button", name="Pause", exact=True).click()
    expect(panel.get_by_text("The queue is paused.")).to_be_visible()
    editor.quick(101)
    page.get_by_role("spinbutton", name="How many runs").fill("3")
    page.keyboard.press("Enter")
    editor.run()
    waiting = panel.get_by_role("region", name="Waiting")
    expect(waiting.get_by_role("listitem")).to_have_count(3)
    first = waiting.get_by_role("listitem").first.get_attribute("data-job")
    waiting.get_by_role("button", name=re.compile("number 1. Arrow keys")).press("ArrowDown")
    editor.until(lambda: waiting.get_by_role("listitem").nth(1).get_attribute("data-job") == first)
    waiting.get_by_role("button", name=re.compile("^More for")).first.click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(waiting.get_by_role("listitem")).to_have_count(2)
    panel.get_by_role("button", name="Go on").click()
    expect(panel.get_by_text("Nothing is queued")).to_be_visible()


@pytest.mark.usefixtures("queue_goes_on")
def test_waiting_runs_are_dragged_into_another_order(editor: Editor) -> None:
    page = editor.page
    panel = editor.open_panel("Queue")
    panel.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("spinbutton", name="How many runs").fill("2")
    editor.run()
    items = panel.get_by_role("region", name="Waiting").get_by_role("listitem")
    expect(items).to_have_count(2)
    last = items.nth(1).get_attribute("data-job")
    grips = panel.get_by_role("button", name=re.compile("Arrow keys move it"))
    low, high = grips.nth(1).bounding_box(), grips.nth(0).bounding_box()
    assert low is not None
    assert high is not None
    editor.drag((low["x"] + 6, low["y"] + 6), (high["x"] + 6, high["y"] - 12))
    editor.until(lambda: items.nth(0).get_attribute("data-job") == last)


@pytest.mark.usefixtures("queue_goes_on")
def test_a_run_is_cancelled_in_the_queue_and_stays_in_the_history(editor: Editor) -> None:
    editor.set("KSampler", "steps", "500")
    editor.set("KSampler", "seed", "102")
    panel = editor.open_panel("Queue")
    editor.run()
    panel.get_by_role("button", name="Cancel Text to image").click()
    expect(panel.get_by_text("Nothing is queued")).to_be_visible()
    past = editor.open_panel("History").get_by_role("listitem").first
    expect(past).to_contain_text("Cancelled")


def test_a_past_run_opens_in_its_graph_with_its_picture(editor: Editor) -> None:
    make(editor, 103)
    editor.set("KSampler", "seed", "7")
    editor.open_panel("History").get_by_title("Open the graph as it ran").first.click()
    editor.tabs(2)
    expect(editor.node("KSampler").get_by_label("seed", exact=True)).to_have_value("103")
    shown(editor.picture())


def test_the_gallery_tells_how_a_picture_was_made_and_opens_its_graph(editor: Editor) -> None:
    make(editor, 104)
    panel = editor.open_panel("Gallery")
    panel.get_by_role("button", name=re.compile("^Look at ")).first.click()
    dialog = editor.page.get_by_role("dialog", name=re.compile(r"\.png$"))
    expect(dialog).to_contain_text("pixels")
    expect(dialog).to_contain_text("seed104")
    dialog.get_by_role("button", name="Open its graph").click()
    editor.tabs(2)
    expect(editor.node("KSampler").get_by_label("seed", exact=True)).to_have_value("104")


def test_two_pictures_are_compared_under_a_slider(editor: Editor) -> None:
    make(editor, 105)
    make(editor, 106)
    panel = editor.open_panel("Gallery")
    choices = panel.get_by_role("button", name=re.compile("for comparing$"))
    editor.until(lambda: choices.count() >= 2)
    for index in (0, 1):
        choices.nth(index).click(force=True)
    panel.get_by_role("button", name="Compare", exact=True).click()
    dialog = editor.page.get_by_role("dialog", name="Compare")
    shown(dialog.get_by_role("img", name=re.compile("^Left: ")))
    shown(dialog.get_by_role("img", name=re.compile("^Right: ")))
    fine(editor)
    slider = dialog.get_by_role("slider", name="How much of the left picture is shown")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "51 % left")
    dialog.get_by_role("radio", name="Difference").click()
    shown(dialog.get_by_role("img", name=re.compile("^Difference of ")))
    editor.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_template_opens_in_a_tab_of_its_own(editor: Editor) -> None:
    panel = editor.open_panel("Templates")
    panel.get_by_role("button", name=re.compile("Text to image")).first.click()
    editor.tabs(2)
    editor.count("8 nodes, 11 wires")


def test_a_sweep_queues_every_combination(editor: Editor) -> None:
    page = editor.page
    editor.quick(107)
    page.get_by_role("button", name="More ways to run").click()
    page.get_by_role("menuitem", name="Sweep…").click()
    dialog = page.get_by_role("dialog", name="Sweep")
    expect(dialog.get_by_role("button", name=re.compile(r"^Queue \d+ runs?$"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_workflow_is_saved_under_a_name_edited_and_saved_again(editor: Editor) -> None:
    page = editor.page
    saved_as(editor, "Apples")
    editor.prompt().fill("green apple")
    expect(page.get_by_role("tab", name="Apples").get_by_label("edited")).to_be_visible()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("tab", name="Apples").get_by_label("edited")).to_have_count(0)
    entry = editor.open_panel("Workflows").get_by_role("listitem").filter(has_text="Apples")
    expect(entry).to_be_visible()
    entry.get_by_role("button", name="More for Apples").click()
    page.get_by_role("menuitem", name="Versions…").click()
    versions = page.get_by_role("dialog", name="Versions of Apples")
    expect(versions.get_by_role("listitem")).to_have_count(2)
    fine(editor)
    versions.get_by_role("listitem").nth(1).get_by_role("button").click()
    expect(editor.prompt()).to_have_value("red apple")


def test_two_windows_cannot_overwrite_each_other_silently(editor: Editor, context: BrowserContext) -> None:
    saved_as(editor, "Shared")
    other = Editor(context.new_page())
    other.page.goto("/")
    other.open_panel("Workflows").get_by_role("button", name=re.compile("^Shared")).first.click()
    expect(other.page.get_by_role("tab", name="Shared")).to_be_visible()
    expect(other.prompt()).to_have_value("red apple")
    editor.prompt().fill("penguin")
    editor.page.keyboard.press("Control+s")
    expect(editor.page.get_by_role("tab", name="Shared").get_by_label("edited")).to_have_count(0)
    other.prompt().fill("butterfly")
    other.page.keyboard.press("Control+s")
    dialog = other.page.get_by_role("dialog", name="Shared was saved elsewhere")
    expect(dialog).to_contain_text("penguin")
    expect(dialog).to_contain_text("butterfly")
    fine(other)
    dialog.get_by_role("button", name="Save mine as a copy").click()
    expect(other.page.get_by_role("tab", name="Shared copy")).to_be_visible()
    expect(other.prompt()).to_have_value("butterfly")
    expect(editor.prompt()).to_have_value("penguin")


def test_a_reload_keeps_the_tabs_and_edits_that_were_never_saved(editor: Editor) -> None:
    editor.prompt().fill("birthday cake")
    editor.open_panel("Templates").get_by_role("button", name=re.compile("Text to image")).first.click()
    editor.tabs(2)
    editor.page.reload()
    editor.tabs(2)
    editor.page.get_by_role("tab").first.click()
    expect(editor.prompt()).to_have_value("birthday cake")


def test_a_download_opens_again_as_it_was(editor: Editor, tmp_path: Path) -> None:
    editor.prompt().fill("owl")
    with editor.page.expect_download() as download:
        editor.menu("Download as JSON")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert json.loads(path.read_text())["nodes"]["prompt"]["inputs"]["text"] == "owl"
    with editor.page.expect_file_chooser() as chooser:
        editor.menu("Open a file…")
    chooser.value.set_files(path)
    editor.tabs(2)
    expect(editor.prompt()).to_have_value("owl")
    editor.count("8 nodes, 11 wires")


def test_the_api_export_is_what_comfyui_takes(editor: Editor) -> None:
    with editor.page.expect_download() as download:
        editor.menu("Export in ComfyUI's API format")
    prompt = json.loads(Path(download.value.path()).read_text())
    assert {"class_type", "inputs"} <= prompt["sampler"].keys()


def test_a_picture_made_here_gives_its_graph_when_it_is_dropped(editor: Editor, server: Server) -> None:
    make(editor, 108)
    newest = max((server.home / "output").rglob("*.png"), key=lambda path: path.stat().st_mtime_ns)
    editor.drop_file("mine.png", newest.read_bytes(), "image/png")
    editor.tabs(2)
    expect(editor.node("KSampler").get_by_label("seed", exact=True)).to_have_value("108")
    editor.count("8 nodes, 11 wires")


def test_edits_survive_a_killed_server_and_a_closed_window(
    editor: Editor, context: BrowserContext, server: Server
) -> None:
    editor.prompt().fill("sunflower")
    editor.page.wait_for_timeout(1000)  # what may be lost
    server.kill()
    expect(editor.page.get_by_role("button", name=re.compile("The server is away"))).to_be_visible()
    editor.page.close()
    server.start()
    again = Editor(context.new_page())
    again.page.goto("/")
    expect(again.prompt()).to_have_value("sunflower")
    again.quick(109)
    again.page.keyboard.press("Control+Enter")
    shown(again.picture())


def test_nodes_stay_where_they_are_when_a_panel_opens(editor: Editor) -> None:
    before = editor.box("KSampler")
    for name in ("Nodes", "Queue"):
        editor.open_panel(name)
    editor.page.wait_for_timeout(300)
    after = editor.box("KSampler")
    assert (abs(after["x"] - before["x"]) < 2, abs(after["y"] - before["y"]) < 2) == (True, True)
    editor.close_panel("Nodes")
    editor.until(lambda: abs(editor.box("KSampler")["x"] - before["x"]) < 2)
