"""The way to a first picture: open the printed link, press Run, see it; and what is shown when it cannot be made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.editor import Editor, shown


def pictures(server: Server) -> set[Path]:
    return set((server.home / "output").rglob("*.png"))


def test_the_printed_link_opens_the_template_and_one_click_makes_a_picture(editor: Editor, server: Server) -> None:
    page = editor.page
    expect(page.get_by_role("tab", name="Text to image")).to_be_visible()
    editor.count("8 nodes, 11 wires")
    editor.quick(1)
    before = pictures(server)
    page.get_by_role("button", name="Run it now").click()
    shown(editor.picture())
    expect(page.get_by_role("button", name="Run it now")).to_have_count(0)
    (made,) = pictures(server) - before
    with Image.open(made) as image:
        assert image.size == (256, 256)
        assert {"prompt", "workflow"} <= image.info.keys()


@pytest.mark.xfail(strict=False, reason="passes alone, not always after other files; the cause is to be found")
def test_progress_is_shown_on_the_node_and_overall_and_a_preview_develops(editor: Editor) -> None:
    editor.set("KSampler", "steps", "3000")  # it is cancelled; a fast machine must not be done before we look
    editor.set("KSampler", "seed", "2")
    editor.page.keyboard.press("Control+Enter")
    expect(editor.page.get_by_role("progressbar", name="Progress of Text to image")).to_be_visible()
    running = editor.node_in_state("KSampler", "running, step")
    expect(running).to_be_visible()
    shown(running.get_by_role("img", name="In the making"))
    editor.page.get_by_role("button", name="Cancel Text to image").click()
    expect(editor.page.get_by_role("progressbar", name="Progress of Text to image")).to_have_count(0)
    expect(editor.picture()).to_have_count(0)


def test_ctrl_enter_runs_and_the_second_run_is_marked_as_cached(editor: Editor) -> None:
    editor.quick(3)
    editor.page.keyboard.press("Control+Enter")
    shown(editor.picture())
    editor.page.keyboard.press("Control+Enter")
    expect(editor.node_in_state("KSampler", "cached")).to_be_visible()
    expect(editor.node("KSampler").get_by_label("cached")).to_be_visible()


def test_a_number_out_of_range_is_moved_into_it_and_said(editor: Editor) -> None:
    editor.set("KSampler", "steps", "-5")
    expect(editor.node("KSampler").get_by_label("steps", exact=True)).to_have_value("1")
    expect(editor.node("KSampler").get_by_role("status").filter(has_text="1")).not_to_have_count(0)


def test_a_wrong_value_is_shown_on_its_node_with_a_button_that_mends_it(editor: Editor) -> None:
    workflow = json.loads((ROOT / "workflows" / "text_to_image.json").read_text())
    workflow["name"] = "Wrong"
    workflow["nodes"]["sampler"]["inputs"] |= {"sampler_name": "dpmpp_2n", "steps": 2}
    editor.drop_file("wrong.json", json.dumps(workflow).encode(), "application/json")
    expect(editor.page.get_by_role("tab", name="Wrong")).to_be_visible()
    expect(editor.page.get_by_role("button", name="1 problem")).to_be_visible()
    expect(editor.node("KSampler")).to_contain_text("dpmpp_2n")
    expect(editor.open_panel("Problems").get_by_role("listitem")).to_contain_text("sampler_name")
    editor.run()
    expect(editor.page.get_by_role("region", name="Messages")).to_contain_text("dpmpp_2n")
    expect(editor.node("KSampler").get_by_role("img", name=re.compile("^1 problem"))).to_be_visible()
    editor.close_panel("Problems")
    editor.node("KSampler").get_by_role("combobox", name="sampler name").hover()
    editor.node("KSampler").get_by_role("button", name="Use dpmpp_2m", exact=True).click()
    expect(editor.page.get_by_role("button", name="1 problem")).to_have_count(0)
    editor.run()
    shown(editor.picture())


def test_a_link_is_good_for_one_browser_only(browser: Browser, server: Server, editor: Editor) -> None:
    guest = browser.new_context()  # uses up the link, if it is new: the server was started again meanwhile
    guest.new_page().goto(server.url)
    guest.close()
    stranger = browser.new_context()
    answer = stranger.new_page().goto(server.url)
    assert answer is not None
    assert stranger.cookies() == []
    stranger.close()
