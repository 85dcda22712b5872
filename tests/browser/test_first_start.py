"""The editor while the first worker of a new home is still starting, and when a plugin ends every worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WAIT_MS, Server

WAITING = """
import time
from pathlib import Path

while not Path(__file__).with_name("go").exists():
    time.sleep(0.05)
"""
SMALL = '''
from engine.node import node


@node(category="test")
def SmallWords(text: str = "") -> str:
    """Give words."""
    return text
'''


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """A server whose home nobody has used; it is to be started by the test."""
    (tmp_path / "plugins").mkdir()
    server = Server(tmp_path)
    yield server
    server.stop()


def open_editor(server: Server, browser: Browser) -> Page:
    server.start()
    expect.set_options(timeout=WAIT_MS)
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(server.url)
    return page


def test_nodes_are_awaited_and_not_unknown_before_the_first_worker_is_up(fresh: Server, browser: Browser) -> None:
    (fresh.home / "plugins" / "slow.py").write_text(WAITING)
    page = open_editor(fresh, browser)
    expect(page.get_by_role("article").first).to_be_visible()
    expect(page.get_by_text("The nodes are being read…").first).to_be_visible()
    expect(page.get_by_text("Unknown type")).to_have_count(0)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("The run is queued as soon as it is ready")).to_be_visible()
    (fresh.home / "plugins" / "go").touch()
    expect(page.get_by_role("spinbutton", name="steps")).to_be_visible()
    expect(page.get_by_text("The nodes are being read…")).to_have_count(0)
    expect(page.get_by_role("toolbar", name="Run").get_by_role("progressbar")).to_be_visible()
    page.context.close()


def test_plugins_are_read_anew_from_the_nodes_panel(fresh: Server, browser: Browser) -> None:
    (fresh.home / "plugins" / "bad.py").write_text("import os\nos._exit(7)\n")
    page = open_editor(fresh, browser)
    expect(page.get_by_role("spinbutton", name="steps")).to_be_visible()
    page.get_by_role("navigation").get_by_role("button", name="Nodes", exact=True).click()
    panel = page.get_by_role("region", name="Nodes", exact=True)
    expect(panel.get_by_text("bad: importing it ended the process")).to_be_visible()
    (fresh.home / "plugins" / "bad.py").write_text(SMALL)
    panel.get_by_role("button", name="Reload nodes").click()
    expect(page.get_by_text("nodes were read.")).to_be_visible()
    expect(panel.get_by_text("bad: importing it ended the process")).to_have_count(0)
    expect(panel.get_by_role("treeitem", name="Small words")).to_be_visible()
    page.context.close()
