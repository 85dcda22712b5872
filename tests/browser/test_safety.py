"""Nothing that others wrote runs as a script in the editor, and pages of other origins cannot use the server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import Server
from tests.browser.editor import Editor, shown

ATTACKS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "<svg onload='window.ran = 1'></svg>",
    "<svg><script>window.ran = 1</script></svg>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "<a href='javascript:window.ran = 1'>press</a>",
    "[press](javascript:window.ran=1)",
    "[press](data:text/html,<script>opener.ran=1</script>)",
    "<details open ontoggle='window.ran = 1'>",
    "<math><mtext><table><mglyph><style><img src=x onerror='window.ran = 1'></style></mglyph></table></mtext></math>",
    "<form action='javascript:window.ran=1'><button>press</button></form>",
    "'\"><script>window.ran = 1</script>",
    "</textarea><script>window.ran = 1</script>",
    "{{constructor.constructor('window.ran = 1')()}}",
    "${window.ran = 1}",
]
ALL = "\n\n".join(ATTACKS)


def hostile() -> bytes:
    """A workflow that tries it in every text that the editor shows."""
    nodes: dict[str, object] = {
        f"note{index}": {"type": "EncodeText", "title": attack, "inputs": {"text": attack}}
        for index, attack in enumerate(ATTACKS)
    }
    nodes["strange"] = {"type": ATTACKS[1], "title": ALL}
    layout = {
        "notes": [{"text": ALL, "position": [0, -600], "size": [400, 400]}],
        "groups": [{"title": ATTACKS[1], "position": [500, -600], "size": [300, 300]}],
    }
    form = {"inputs": ["note0.text"], "outputs": [], "title": ATTACKS[1], "help": ALL}
    workflow = {"darkroom": 1, "name": ATTACKS[1], "description": ALL, "nodes": nodes, "layout": layout, "form": form}
    return json.dumps(workflow).encode()


def press_links(page: Page) -> None:
    """Press everything that is called so, where the attacks put links and buttons."""
    for link in page.get_by_text("press", exact=True).all():
        link.dispatch_event("click")


def nothing_ran(page: Page) -> None:
    page.wait_for_timeout(200)  # for what would come late
    assert page.evaluate("window.ran") is None
    scripts = page.locator("script:not([src]), iframe, [onerror], [onload], [ontoggle], a[href^='javascript:']")
    expect(scripts).to_have_count(0)


def test_no_text_of_a_workflow_runs_as_a_script(editor: Editor) -> None:
    page = editor.page
    editor.drop_file("hostile.json", hostile(), "application/json")
    editor.tabs(2)
    expect(page.get_by_role("tab", selected=True)).to_contain_text(ATTACKS[1])
    page.keyboard.press(".")
    for name in ("Problems", "Help", "Workflows", "History"):
        editor.open_panel(name)
        nothing_ran(page)
    press_links(page)
    page.get_by_role("radio", name="Form").click()
    expect(page.get_by_role("heading", name=ATTACKS[1], level=1)).to_be_visible()
    press_links(page)
    nothing_ran(page)
    page.keyboard.press("Control+s")
    expect(page.get_by_role("dialog", name="Save as")).to_be_visible()
    nothing_ran(page)


def test_notes_are_text_and_markdown_only(editor: Editor) -> None:
    editor.page.mouse.move(*editor.empty_place())
    editor.page.keyboard.press("Shift+N")
    field = editor.page.get_by_role("textbox", name="Text of the note")
    field.fill(ALL + "\n\n**strong words**")
    field.press("Control+Enter")
    expect(editor.page.get_by_role("complementary", name="Note").get_by_text("strong words")).to_be_visible()
    press_links(editor.page)
    nothing_ran(editor.page)


def test_a_prompt_of_scripts_is_only_words_to_draw(editor: Editor) -> None:
    page = editor.page
    editor.prompt().fill(ATTACKS[0] + ATTACKS[1])
    editor.quick(301)
    editor.run()
    shown(editor.picture())
    editor.picture().click()
    dialog = page.get_by_role("dialog", name=re.compile(r"\.png$"))
    expect(dialog).to_contain_text(ATTACKS[0])
    nothing_ran(page)


def test_the_page_allows_no_scripts_but_its_own(editor: Editor) -> None:
    answer = editor.page.goto("/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert re.search(r"script-src[^;]*'self'|default-src 'self'", policy)
    assert "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe-inline", policy)
    assert "frame-ancestors 'none'" in policy


class EvilPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another page of this machine</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def evil() -> Iterator[str]:
    """A site of another origin, on this machine too, so that the browser sends the cookies along."""
    site = ThreadingHTTPServer(("127.0.0.1", 0), EvilPage)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{site.server_port}/"
    site.shutdown()
    thread.join()
    site.server_close()


def test_a_page_of_another_origin_cannot_read_run_or_listen(
    browser: Browser, login: StorageState, server: Server, evil: str
) -> None:
    context = browser.new_context(storage_state=login)
    page = context.new_page()
    page.goto(evil)
    outcome = page.evaluate(
        """async (server) => {
            const attempt = (path, type, body) => {
                const options = body && { method: "POST", headers: { "content-type": type }, body };
                const asked = fetch(server + path, { credentials: "include", ...options });
                return asked.then(() => "let in", () => "refused");
            };
            const listen = new Promise((done) => {
                const socket = new WebSocket(server.replace("http", "ws") + "/v1/events");
                socket.onmessage = () => done("heard");
                socket.onclose = () => done("refused");
            });
            return [
                await attempt("/v1/jobs"),
                await attempt("/v1/jobs/clear", "application/json", '{"what": "finished"}'),
                await attempt("/v1/jobs/clear", "text/plain", '{"what": "finished"}'),
                await listen,
            ];
        }""",
        server.address,
    )
    context.close()
    assert outcome == ["refused", "refused", "refused", "refused"]
