"""The editor's canvas in headless Chromium without a GPU: frames per second while it is dragged about.

Frames are counted by the page itself, so a machine that is busy with other things counts fewer. Needs Chromium.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.house import House
from benchmarks.row import Row, at_least, shown

SIZES = (500, 1000, 2000)
SECONDS = 3.0
STEP_PX = 12
ROUNDS = 3
ROW = 25


def rows() -> list[Row]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return [Row("not measured: there is no Chromium", "", "")]
    with tempfile.TemporaryDirectory() as home, House(Path(home)) as house, sync_playwright() as playwright:
        house.knows_nodes()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(house.url)
        page.get_by_role("article", name="KSampler").wait_for()
        found = [row for size in SIZES for row in _measure(page, size)]
        browser.close()
    return found


def _measure(page: Page, size: int) -> list[Row]:
    page.evaluate(
        """(text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        json.dumps(graph(size)),
    )
    expect(page.get_by_role("contentinfo")).to_contain_text(f"{size} nodes", timeout=60_000)
    page.wait_for_timeout(1000)
    far = max(_frames_per_second(page) for _ in range(ROUNDS))
    for _ in range(20):
        if _zoom(page) >= 95:
            break
        page.get_by_role("contentinfo").get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(400)
    page.wait_for_timeout(1500)
    near = max(_frames_per_second(page) for _ in range(ROUNDS))
    name = f"{size:,} nodes"
    if size > SIZES[0]:
        return [shown(f"{name}, all on show", far, "/s"), shown(f"{name}, at full size", near, "/s")]
    return [at_least(f"{name}, all on show", "", far, 50, "/s"), at_least(f"{name}, at full size", "", near, 50, "/s")]


def _zoom(page: Page) -> int:
    return int(page.locator(".status-zoom").inner_text().split()[0])


def _frames_per_second(page: Page) -> float:
    """Drag the canvas about for some seconds."""
    x, y = 720, 450
    found = page.evaluate(
        """([x, y]) => {
            for (let dy = 0; dy < 300; dy += 10)
                for (let dx = 0; dx < 400; dx += 10)
                    if (document.elementFromPoint(x + dx, y + dy)?.classList.contains("react-flow__pane"))
                        return [x + dx, y + dy];
            return null;
        }""",
        [x - 200, y - 150],
    )
    if found:
        x, y = found
    page.mouse.move(x, y)
    # The middle button drags whatever is below, also where far-out nodes would be taken.
    page.mouse.down(button="middle")
    page.evaluate(
        """() => {
            window.frames = [];
            const count = (now) => { window.frames.push(now); window.counting = requestAnimationFrame(count); };
            window.counting = requestAnimationFrame(count);
        }"""
    )
    steps = 0
    while page.evaluate("() => window.frames.at(-1) - window.frames[0] || 0") < SECONDS * 1000:
        for _ in range(12):
            steps += 1
            side = 1 if (steps // 24) % 2 == 0 else -1
            x += side * STEP_PX
            y += side * STEP_PX / 2
            page.mouse.move(x, y)
    rate = page.evaluate(
        """() => {
            cancelAnimationFrame(window.counting);
            return (window.frames.length - 1) / (window.frames.at(-1) - window.frames[0]) * 1000;
        }"""
    )
    page.mouse.up(button="middle")
    page.wait_for_timeout(400)
    return rate


def graph(size: int) -> dict[str, object]:
    """Rows of samplers, each fed by the one before it and by the row's loader, at distances as people leave them."""
    nodes: dict[str, object] = {}
    boxes: dict[str, object] = {}
    for index in range(size):
        row, place = divmod(index, ROW)
        inputs: dict[str, object] = {"model": {"from": f"model_{row}.model"}, "seed": index}
        if place > 1:
            inputs["latent_image"] = {"from": f"sampler_{index - 1}.latent"}
        name = f"sampler_{index}" if place else f"model_{row}"
        nodes[name] = {"type": "KSampler", "inputs": inputs} if place else {"type": "LoadCheckpoint", "inputs": {}}
        boxes[name] = {"position": [place * 300, row * 400]}
    return {"darkroom": 1, "name": f"{size} nodes", "nodes": nodes, "layout": {"nodes": boxes}}
