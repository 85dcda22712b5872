"""A page that asks for a picture, as somebody meets it who never saw a graph: the hole, the run, before and after."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.editor import shown
from tests.browser.test_access import faults, needs_axe
from tests.browser.test_drawing import PHONE, save, stroke
from tests.browser.test_drawing import door as door

EXAMPLE = "lion-with-a-hole.png"


def filling(name: str) -> dict[str, Any]:
    """What is masked becomes its negative, which needs no model."""
    return {
        "darkroom": 1,
        "name": name,
        "nodes": {
            "picture": {"type": "LoadImage", "inputs": {"image": EXAMPLE}},
            "other": {"type": "ImageInvert", "inputs": {"image": {"from": "picture.image"}}},
            "paste": {
                "type": "ImageCompositeMasked",
                "inputs": {
                    "destination": {"from": "picture.image"},
                    "source": {"from": "other.image"},
                    "mask": {"from": "picture.mask"},
                },
            },
            "save": {"type": "SaveImage", "inputs": {"images": {"from": "paste.image"}, "filename_prefix": name}},
        },
        "form": {
            "inputs": ["picture.image"],
            "outputs": ["save"],
            "title": "Fill a hole",
            "labels": {"picture.image": "Picture and hole"},
            "hints": {"picture.image": "Square ones work best."},
        },
    }


def own_picture(folder: Path) -> Path:
    path = folder / "own.png"
    Pillow.new("RGB", (120, 120), (250, 240, 10)).save(path)
    return path


def run(page: Page) -> None:
    page.get_by_role("form", name="Fill in").get_by_role("button", name="Run", exact=True).click()
    shown(page.get_by_role("region", name="Results").get_by_role("img", name="The result"))


def test_a_stranger_brings_a_picture_paints_the_hole_and_compares(
    context: BrowserContext, door: Page, tmp_path: Path
) -> None:
    save(door, "fill", filling("fill"))
    page = context.new_page()
    page.goto("/#/form/fill")
    expect(page.get_by_text("Square ones work best.")).to_be_visible()
    expect(page.get_by_role("button", name="Change the hole")).to_be_visible()  # the example has one
    page.get_by_label("Picture file").set_input_files(own_picture(tmp_path))
    expect(page.get_by_text("Nothing is painted over yet.")).to_be_visible()
    page.get_by_role("button", name="Paint the hole").click()
    screen = page.get_by_role("application", name="The picture and its mask").locator("canvas").first
    expect(screen).to_be_visible()
    page.wait_for_timeout(300)  # the dialog comes by a transition
    box = screen.bounding_box()
    assert box is not None
    stroke(page, box, (0.3, 0.5), (0.7, 0.5))
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("The striped part is made anew.")).to_be_visible()
    run(page)
    results = page.get_by_role("region", name="Results")
    address = results.get_by_role("img", name="The result").get_attribute("src")
    assert address is not None
    made = Pillow.open(io.BytesIO(page.request.get(address).body())).convert("RGB")
    assert made.getpixel((60, 60)) == pytest.approx((5, 15, 245), abs=2)
    assert made.getpixel((10, 10)) == (250, 240, 10)
    line = results.get_by_role("slider", name="How much of the picture before is shown")
    line.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuetext", "53 % before")
    results.get_by_role("button", name="Compare").click()
    expect(line).to_have_count(0)


def test_a_page_whose_mask_goes_nowhere_asks_for_no_hole(context: BrowserContext, door: Page) -> None:
    document = filling("whole")
    document["nodes"]["save"]["inputs"]["images"] = {"from": "other.image"}
    del document["nodes"]["paste"]
    save(door, "whole", document)
    page = context.new_page()
    page.goto("/#/form/whole")
    expect(page.get_by_role("button", name="Your own picture")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("the hole"))).to_have_count(0)
    expect(page.get_by_role("button", name="Mask")).to_have_count(0)


def test_a_shipped_page_says_that_its_picture_is_an_example(context: BrowserContext, door: Page) -> None:
    page = context.new_page()
    page.goto("/#/form/inpainting")
    expect(page.get_by_text("This is an example: run it as it is")).to_be_visible()
    shown(page.get_by_role("button", name=EXAMPLE).locator("img"))


@needs_axe
@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_the_page_works_on_a_phone_and_axe_finds_nothing(context: BrowserContext, door: Page, theme: str) -> None:
    name = f"phone-{theme}"
    save(door, name, filling(name))
    page = context.new_page()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"/#/form/{name}")
    page.get_by_role("button", name="Change the hole").wait_for()
    button = page.get_by_role("button", name=theme, exact=True)
    if button.count() > 0:
        button.click()
    run(page)
    expect(page.get_by_role("region", name="Results")).to_be_in_viewport()
    page.wait_for_timeout(300)  # colours come by transitions
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Change the hole").click()
    page.get_by_role("application", name="The picture and its mask").wait_for()
    page.wait_for_timeout(300)
    assert faults(page) == []
