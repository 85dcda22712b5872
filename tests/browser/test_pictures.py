"""Pictures brought in by button, drop and paste; a mask painted on one; a result that is frozen."""

from __future__ import annotations

import base64
import io
import re

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Locator, expect

from tests.browser.editor import Editor, shown
from tests.browser.test_access import faults, needs_axe

DROP = """(element, [kind, name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type: "image/png" }));
    const init = { bubbles: true, cancelable: true };
    const event = kind === "drop"
        ? new DragEvent("drop", { ...init, dataTransfer: transfer })
        : new ClipboardEvent("paste", { ...init, clipboardData: transfer });
    element.dispatchEvent(event);
}"""


def picture(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(data, "PNG")
    return data.getvalue()


def bring(field: Locator, kind: str, name: str, data: bytes) -> None:
    """Drop or paste a file on an element."""
    field.evaluate(DROP, [kind, name, base64.b64encode(data).decode()])


def loader(editor: Editor) -> Locator:
    """A node that loads a picture, added where there is room."""
    editor.page.mouse.dblclick(*editor.empty_place())
    editor.search("LoadImage")
    node = editor.node("Load Image")
    expect(node).to_be_visible()
    editor.page.keyboard.press(".")
    editor.page.wait_for_timeout(400)  # the view moves there
    expect(node.get_by_role("button", name="Upload")).to_be_visible()
    return node


def chosen(node: Locator, name: str) -> Locator:
    """The picture on the node, once it is there."""
    frame = node.get_by_role("button", name=re.compile(rf"^{re.escape(name)}.*Choose another picture"))
    shown(frame.locator("img"))
    return frame


def test_a_picture_is_uploaded_by_the_button(editor: Editor) -> None:
    node = loader(editor)
    with editor.page.expect_file_chooser() as chooser:
        node.get_by_role("button", name="Upload").click()
    chooser.value.set_files({"name": "by button.png", "mimeType": "image/png", "buffer": picture("red")})
    chosen(node, "by button.png")


def test_a_picture_is_dropped_on_the_field_and_pasted_into_it(editor: Editor) -> None:
    node = loader(editor)
    field = node.locator(".input-picture")
    bring(field, "drop", "dropped.png", picture("green"))
    chosen(node, "dropped.png")
    editor.tabs(1)
    bring(field, "paste", "pasted.png", picture("blue"))
    chosen(node, "pasted")


def test_what_is_no_picture_is_refused_in_words(editor: Editor) -> None:
    node = loader(editor)
    bring(node.locator(".input-picture"), "drop", "broken.png", b"this is no picture")
    expect(node.get_by_role("alert")).to_be_visible()


@needs_axe
def test_a_mask_is_painted_taken_back_and_kept_with_the_picture(editor: Editor) -> None:
    page = editor.page
    node = loader(editor)
    bring(node.locator(".input-picture"), "drop", "to mask.png", picture("yellow"))
    chosen(node, "to mask.png")
    node.get_by_role("button", name="Mask", exact=True).click()
    dialog = page.get_by_role("dialog")
    canvas = dialog.get_by_role("application", name="The picture and its mask")
    expect(canvas).to_be_visible()
    page.wait_for_timeout(300)  # it comes by a transition
    assert faults(page, "dialog") == []
    undo = dialog.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    box = canvas.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    editor.drag((middle[0] - 60, middle[1]), (middle[0] + 60, middle[1]))
    expect(undo).to_be_enabled()
    undo.click()
    expect(undo).to_be_disabled()
    editor.drag((middle[0] - 60, middle[1]), (middle[0] + 60, middle[1]))
    dialog.get_by_role("button", name="Use this mask").click()
    expect(dialog).to_have_count(0)
    address = chosen(node, "to mask-masked").locator("img").get_attribute("src")
    assert address is not None
    name = node.get_by_role("button", name=re.compile("^to mask-masked")).get_attribute("aria-label")
    assert name is not None
    answer = page.request.get(f"/v1/files/input/{name.partition('. ')[0]}")
    alpha = Image.open(io.BytesIO(answer.body())).convert("RGBA").getchannel("A")
    lowest, highest = alpha.getextrema()
    assert (lowest, highest) == (0, 255), "painted in the middle, whole at the edges"


def test_a_frozen_result_is_kept_whatever_comes_before_it(editor: Editor) -> None:
    page = editor.page
    editor.quick(821)
    editor.run()
    shown(editor.picture())
    expect(editor.node_in_state("KSampler", "done")).to_be_visible()
    page.mouse.click(*editor.grip("KSampler"), button="right")
    page.get_by_role("menuitemcheckbox", name="Freeze result").click()
    expect(editor.node("KSampler").get_by_label("Frozen")).to_be_visible()
    editor.set("KSampler", "seed", "822")
    editor.set("Upscale Image", "width", "128")
    page.keyboard.press("Control+Enter")
    expect(editor.node_in_state("KSampler", "cached")).to_be_visible()
    expect(editor.node_in_state("Save Image", "done")).to_be_visible()
    page.mouse.click(*editor.grip("KSampler"), button="right")
    page.get_by_role("menuitemcheckbox", name="Freeze result").click()
    expect(editor.node("KSampler").get_by_label("Frozen")).to_have_count(0)


def test_a_picture_of_a1111_gives_a_graph_and_what_was_not_understood(editor: Editor) -> None:
    data, about = io.BytesIO(), PngInfo()
    settings = "Steps: 9, Sampler: Euler a, CFG scale: 3, Seed: 77, Size: 64x64, Clip skip: 2"
    about.add_text("parameters", f"a penguin\nNegative prompt: rain\n{settings}, Model: darkroom-emoji-64")
    Image.new("RGB", (8, 8)).save(data, "PNG", pnginfo=about)
    editor.drop_file("penguin.png", data.getvalue(), "image/png")
    editor.tabs(2)
    expect(editor.node("Prompt").get_by_role("textbox", name="text")).to_have_value("a penguin")
    expect(editor.node("KSampler").get_by_label("steps", exact=True)).to_have_value("9")
    expect(editor.page.get_by_text("penguin.png was opened. One thing in it")).to_be_visible()
    editor.page.get_by_role("button", name="Show", exact=True).click()
    doubts = editor.open_panel("Problems").get_by_role("region", name="When it was opened")
    editor.page.wait_for_timeout(1000)  # while the graph is checked, which finds nothing wrong
    expect(doubts.get_by_text("'Clip skip: 2' was not taken over")).to_be_visible()
    doubts.get_by_role("button", name="Dismiss").click()
    expect(doubts).to_have_count(0)
