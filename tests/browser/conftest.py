"""The editor as people meet it: a real server with a real worker, in a real Chromium.

The server keeps everything in a home of its own. Chromium is Debian's; without one these tests are skipped and say so.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright

from tests.browser.editor import Editor

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 40_000
"""For what the machine may be slow at; nothing is asserted about time."""
EXPECTED_NOISE = re.compile(r"WebSocket|ERR_CONNECTION_REFUSED|status of (400|404|409|422|503)")
"""What Chromium itself notes in the console when a test stops the server, or asks for what it refuses."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if Path(item.path).is_relative_to(Path(__file__).parent)]
    # Last: Playwright leaves an event loop in this thread, beside which no test of asyncio could run.
    items[:] = [*(item for item in items if item not in here), *here]
    for item in here:
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed (Debian: apt install chromium)"))


@dataclass
class Server:
    """`darkroom serve` as a process."""

    home: Path
    port: int = 0
    url: str = ""
    """With a launch token that lets one browser in."""
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {**os.environ, "DARKROOM_HOME": str(self.home), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "server.py"), "serve", "--port", str(self.port), "--device", "cpu"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"http://\S+", line):
                self.url = found[0]
                self.port = int(re.findall(r":(\d+)/", self.url)[0])
                return
        raise RuntimeError("the server ended before it said where it is")

    def kill(self) -> None:
        """As the kernel does it: no last word, nothing written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("home"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def login(server: Server, browser: Browser) -> StorageState:
    """The cookie that the launch link gives, which lets in every page of the session."""
    context = browser.new_context()
    context.new_page().goto(server.url)
    state = context.storage_state()
    context.close()
    return {**state, "origins": []}


@pytest.fixture
def context(browser: Browser, login: StorageState, server: Server) -> Iterator[BrowserContext]:
    """A browser window of its own, whose pages may not log errors or show exceptions."""
    context = browser.new_context(storage_state=login, viewport={"width": 1440, "height": 900}, base_url=server.address)
    context.set_default_timeout(WAIT_MS)
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED_NOISE.search(message.text):
            problems.append(message.text)

    context.on("console", note)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    expect.set_options(timeout=WAIT_MS)
    yield context
    context.close()
    assert not problems


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The editor, open on the first template, its nodes known."""
    page = context.new_page()
    page.goto("/")
    page.get_by_role("spinbutton", name="steps").wait_for()
    return page


@pytest.fixture
def editor(page: Page) -> Editor:
    return Editor(page)
