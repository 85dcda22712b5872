"""What a person does in the editor, and what they see of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import FloatRect, Locator, Page, expect


@dataclass(frozen=True)
class Editor:
    """The editor in one page."""

    page: Page

    def node(self, title: str) -> Locator:
        """A node by its title, in whatever state it is."""
        return self.page.get_by_role("article", name=re.compile(rf"^{re.escape(title)}(,|$)"))

    def node_in_state(self, title: str, state: str) -> Locator:
        return self.page.get_by_role("article", name=re.compile(rf"^{re.escape(title)}, {re.escape(state)}"))

    def box(self, title: str) -> FloatRect:
        """Where a node is on the screen."""
        found = self.node(title).bounding_box()
        assert found is not None
        return found

    def grip(self, title: str) -> tuple[float, float]:
        """Where a node is taken to drag it: on its title."""
        box = self.box(title)
        return box["x"] + box["width"] * 0.35, box["y"] + 12

    def choose(self, *titles: str) -> None:
        """Select these nodes and no others."""
        for index, title in enumerate(titles):
            if index > 0:
                self.page.keyboard.down("Shift")
                self.page.wait_for_timeout(50)  # the canvas takes note of the key with its next picture
            self.page.mouse.click(*self.grip(title))
            self.page.keyboard.up("Shift")
        expect(self.page.get_by_role("contentinfo")).to_contain_text(f"{len(titles)} selected")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        mouse.move(*end, steps=4)
        mouse.up()

    def empty_place(self) -> tuple[float, float]:
        """A point of the canvas with nothing near it."""
        x, y = self.page.evaluate(
            """() => {
                const free = (x, y) => document.elementFromPoint(x, y)?.classList.contains("react-flow__pane");
                for (let y = innerHeight - 160; y > 120; y -= 20)
                    for (let x = 140; x < innerWidth - 260; x += 20)
                        if ([[0, 0], [-40, -40], [40, 40], [-40, 40], [40, -40]].every(([a, b]) => free(x + a, y + b)))
                            return [x, y];
                return [0, 0];
            }"""
        )
        assert (x, y) != (0, 0), "the canvas has no empty place"
        return x, y

    def count(self, words: str) -> None:
        """Expect the line at the foot to say this, such as `8 nodes, 11 wires`."""
        expect(self.page.get_by_role("contentinfo")).to_contain_text(words)

    def set(self, node: str, widget: str, value: str) -> None:
        """Type a value into a widget."""
        field = self.node(node).get_by_label(widget, exact=True)
        field.fill(value)
        field.press("Tab")

    def quick(self, seed: int) -> None:
        """Make the template's run short, and another one than those of other tests by its seed."""
        self.set("KSampler", "steps", "2")
        self.set("KSampler", "seed", str(seed))

    def run(self) -> None:
        self.page.get_by_role("button", name="Run", exact=True).click()

    def picture(self) -> Locator:
        """The picture on the node that saves it."""
        return self.node("Save Image").get_by_role("img", name=re.compile(r"\.png$"))

    def search(self, words: str) -> None:
        """Fill in the search that is open and take what it finds first."""
        self.page.get_by_role("combobox", name="Search nodes").fill(words)
        self.page.keyboard.press("Enter")

    def open_panel(self, name: str) -> Locator:
        button = self.page.get_by_role("navigation").get_by_role("button", name=name, exact=True)
        if button.get_attribute("aria-expanded") == "false":
            button.click()
        return self.page.get_by_role("region", name=name, exact=True)

    def close_panel(self, name: str) -> None:
        self.page.get_by_role("button", name=f"Close {name}", exact=True).click()

    def tabs(self, count: int) -> None:
        """Expect this many open workflows."""
        expect(self.page.get_by_role("tab")).to_have_count(count)

    def prompt(self) -> Locator:
        return self.node("What to draw").get_by_role("textbox", name="text")

    def drop_file(self, name: str, data: bytes, media_type: str) -> None:
        """Drop a file on the window."""
        self.page.evaluate(
            """([name, data, type]) => {
                const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name, { type }));
                window.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
            }""",
            [name, base64.b64encode(data).decode(), media_type],
        )

    def port(self, node: str, side: str, name: str) -> tuple[float, float]:
        """Where a port is; its side is `in` or `out`."""
        ports = self.node(node).get_by_title(re.compile(rf"^{name}: "))
        box = (ports.first if side == "in" else ports.last).bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def until(self, seen: Callable[[], bool]) -> None:
        """Wait for what has no words on the page, such as where something is."""
        for _ in range(300):
            if seen():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("it did not come to be")

    def menu(self, *entries: str) -> None:
        """Choose from the menu at the top left."""
        self.page.get_by_role("button", name="Menu", exact=True).click()
        for entry in entries:
            self.page.get_by_role("menuitem", name=entry).click()


def shown(picture: Locator) -> None:
    """Expect a picture to be there and to have come whole."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
