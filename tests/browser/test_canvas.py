"""The canvas by mouse and keyboard: look around, select, move, add, connect, and take it all back."""

from __future__ import annotations

import re

from playwright.sync_api import FloatRect, expect

from tests.browser.editor import Editor, shown


def moved(before: FloatRect, after: FloatRect) -> tuple[int, int]:
    return round(after["x"] - before["x"]), round(after["y"] - before["y"])


def test_dragging_the_empty_canvas_pans_it(editor: Editor) -> None:
    before = editor.box("KSampler")
    x, y = editor.empty_place()
    editor.drag((x, y), (x + 120, y - 60))
    editor.until(lambda: moved(before, editor.box("KSampler")) == (120, -60))


def test_the_wheel_zooms_where_the_pointer_is(editor: Editor) -> None:
    x, y = editor.empty_place()
    before = editor.box("KSampler")
    editor.page.mouse.move(x, y)
    editor.page.mouse.wheel(0, -200)
    editor.until(lambda: editor.box("KSampler")["width"] > before["width"] * 1.1)
    after = editor.box("KSampler")
    share = after["width"] / before["width"]
    assert abs((after["x"] - x) - (before["x"] - x) * share) < 3


def test_the_zoom_is_said_and_its_buttons_change_it(editor: Editor) -> None:
    foot = editor.page.get_by_role("contentinfo")
    before = editor.box("KSampler")["width"]
    foot.get_by_role("button", name="Zoom in").click()
    editor.until(lambda: editor.box("KSampler")["width"] > before * 1.2)
    foot.get_by_role("button", name="Zoom out").click()
    editor.until(lambda: abs(editor.box("KSampler")["width"] - before) < 2)
    expect(foot).to_contain_text("%")


def test_a_dot_shows_all_nodes_again(editor: Editor) -> None:
    x, y = editor.empty_place()
    editor.drag((x, y), (x + 500, y - 200))
    expect(editor.node("Save Image")).not_to_be_in_viewport()
    editor.page.keyboard.press(".")
    for title in ("Load Checkpoint", "Save Image", "Empty Latent"):
        expect(editor.node(title)).to_be_in_viewport(ratio=0.99)


def test_a_box_selects_and_what_is_selected_moves_together(editor: Editor) -> None:
    prompt, avoid, sampler = editor.box("What to draw"), editor.box("What to avoid"), editor.box("KSampler")
    editor.page.keyboard.down("Control")
    corner = (avoid["x"] + avoid["width"] / 2, avoid["y"] + 30)
    editor.drag((prompt["x"] - 15, prompt["y"] - 15), corner)
    editor.page.keyboard.up("Control")
    editor.count("2 selected")
    x, y = editor.grip("What to draw")
    editor.drag((x, y), (x + 10, y - 60))
    editor.until(lambda: moved(prompt, editor.box("What to draw"))[1] < -40)
    assert moved(prompt, editor.box("What to draw")) == moved(avoid, editor.box("What to avoid"))
    assert moved(sampler, editor.box("KSampler")) == (0, 0)


def test_ctrl_z_takes_a_move_back_and_ctrl_y_makes_it_again(editor: Editor) -> None:
    before = editor.box("Save Image")
    x, y = editor.grip("Save Image")
    editor.drag((x, y), (x - 30, y + 90))
    editor.until(lambda: moved(before, editor.box("Save Image"))[1] > 60)
    after = editor.box("Save Image")
    editor.page.keyboard.press("Control+z")
    editor.until(lambda: moved(before, editor.box("Save Image")) == (0, 0))
    editor.page.keyboard.press("Control+y")
    editor.until(lambda: moved(after, editor.box("Save Image")) == (0, 0))


def test_nodes_snap_to_the_grid(editor: Editor) -> None:
    editor.page.keyboard.press("+")
    before = editor.box("Save Image")
    editor.until(lambda: editor.box("Save Image")["width"] == before["width"])
    x, y = editor.grip("Save Image")
    editor.drag((x, y), (x, y + 60))
    editor.until(lambda: moved(before, editor.box("Save Image")) != (0, 0))
    assert abs(moved(before, editor.box("Save Image"))[0]) <= 1


def test_delete_removes_a_node_with_its_wires_and_undo_brings_them_back(editor: Editor) -> None:
    editor.choose("Upscale Image")
    editor.page.keyboard.press("Delete")
    editor.count("7 nodes, 9 wires")
    expect(editor.node("Upscale Image")).to_have_count(0)
    editor.page.keyboard.press("Control+z")
    editor.count("8 nodes, 11 wires")
    expect(editor.node("Upscale Image")).to_be_visible()


def test_delete_in_a_text_field_is_about_the_text(editor: Editor) -> None:
    editor.choose("What to draw")
    field = editor.node("What to draw").get_by_role("textbox", name="text")
    field.press("Control+a")
    field.press("Delete")
    expect(field).to_have_value("")
    editor.count("8 nodes, 11 wires")


def test_copies_are_pasted_with_the_wires_between_them_here_and_in_another_tab(editor: Editor) -> None:
    editor.choose("VAE Decode", "Upscale Image")
    editor.page.keyboard.press("Control+c")
    editor.page.keyboard.press("Control+v")
    editor.count("10 nodes, 12 wires")
    expect(editor.node("Upscale Image")).to_have_count(2)
    editor.page.keyboard.press("Alt+n")
    expect(editor.page.get_by_text("An empty canvas")).to_be_visible()
    editor.page.keyboard.press("Control+v")
    editor.count("2 nodes, 1 wire")


def test_paste_with_shift_keeps_the_wires_from_outside(editor: Editor) -> None:
    editor.choose("VAE Decode")
    editor.page.keyboard.press("Control+c")
    editor.page.keyboard.press("Control+Shift+v")
    editor.count("9 nodes, 13 wires")


def test_ctrl_a_selects_all_and_ctrl_d_doubles_it(editor: Editor) -> None:
    editor.page.keyboard.press("Control+a")
    editor.count("8 selected")
    editor.page.keyboard.press("Control+d")
    editor.count("16 nodes, 22 wires")


def test_a_double_click_on_the_canvas_adds_a_node_there(editor: Editor) -> None:
    x, y = editor.empty_place()
    editor.page.mouse.dblclick(x, y)
    editor.search("prev img")
    box = editor.box("Preview Image")
    assert abs(box["x"] - x) < 200
    assert abs(box["y"] - y) < 200
    editor.count("9 nodes, 11 wires")


def test_tab_over_the_canvas_finds_nodes_by_the_names_they_have_elsewhere(editor: Editor) -> None:
    editor.page.mouse.move(*editor.empty_place())
    editor.page.keyboard.press("Tab")
    editor.page.get_by_role("combobox", name="Search nodes").fill("CheckpointLoaderSimple")
    expect(editor.page.get_by_role("option").first).to_contain_text("Load Checkpoint")
    editor.page.keyboard.press("Enter")
    expect(editor.node("Load Checkpoint")).to_have_count(2)


def test_escape_closes_the_search_and_adds_nothing(editor: Editor) -> None:
    editor.page.mouse.dblclick(*editor.empty_place())
    expect(editor.page.get_by_role("dialog", name="Add node")).to_be_visible()
    editor.page.keyboard.press("Escape")
    expect(editor.page.get_by_role("dialog", name="Add node")).to_have_count(0)
    editor.count("8 nodes")


def test_a_wire_is_drawn_from_port_to_port(editor: Editor) -> None:
    editor.page.mouse.dblclick(*editor.empty_place())
    editor.search("preview image")
    editor.count("9 nodes, 11 wires")
    editor.drag(editor.port("Upscale Image", "out", "image"), editor.port("Preview Image", "in", "images"))
    editor.count("9 nodes, 12 wires")


def test_a_wire_to_a_port_of_another_type_is_not_made(editor: Editor) -> None:
    editor.drag(editor.port("VAE Decode", "out", "image"), editor.port("KSampler", "in", "model"))
    editor.count("8 nodes, 11 wires")
    assert editor.page.get_by_role("button", name="Undo", exact=True).is_disabled()


def test_a_wire_dropped_on_the_canvas_opens_a_search_for_what_takes_it(editor: Editor) -> None:
    editor.drag(editor.port("VAE Decode", "out", "image"), editor.empty_place())
    field = editor.page.get_by_role("combobox", name="Search nodes")
    expect(field).to_have_attribute("placeholder", "What takes IMAGE?")
    expect(editor.page.get_by_role("option", name="Upscale Image")).to_be_visible()
    expect(editor.page.get_by_role("option", name="Load Checkpoint")).to_have_count(0)
    editor.search("invert image")
    editor.count("9 nodes, 12 wires")


def test_wires_are_cut_by_drawing_across_them_with_alt(editor: Editor) -> None:
    decode, save = editor.box("Upscale Image"), editor.box("Save Image")
    x = (decode["x"] + decode["width"] + save["x"]) / 2
    editor.page.keyboard.down("Alt")
    editor.drag((x, save["y"] - 30), (x, decode["y"] + decode["height"]))
    editor.page.keyboard.up("Alt")
    editor.count("8 nodes, 10 wires")
    editor.page.keyboard.press("Control+z")
    editor.count("8 nodes, 11 wires")


def test_w_connects_without_a_mouse(editor: Editor) -> None:
    editor.page.mouse.dblclick(*editor.empty_place())
    editor.search("preview image")
    editor.choose("Preview Image")
    editor.page.keyboard.press("w")
    dialog = editor.page.get_by_role("dialog", name="Connect Preview Image")
    dialog.get_by_role("button", name="VAE Decode · image").press("Enter")
    editor.count("9 nodes, 12 wires")


def test_ctrl_b_bypasses_and_ctrl_m_mutes(editor: Editor) -> None:
    editor.choose("Upscale Image")
    for key, word in (("Control+b", "bypassed"), ("Control+m", "muted")):
        editor.page.keyboard.press(key)
        expect(editor.node("Upscale Image")).to_contain_text(word)
        editor.page.keyboard.press(key)
        expect(editor.node("Upscale Image")).not_to_contain_text(word)


def test_ctrl_g_frames_nodes_and_the_frame_takes_them_along(editor: Editor) -> None:
    editor.choose("What to draw", "What to avoid")
    editor.page.keyboard.press("Control+g")
    group = editor.page.get_by_role("region", name="Group", exact=False)
    expect(group).to_be_visible()
    editor.page.keyboard.press("Escape")
    editor.page.keyboard.press("Escape")
    before = editor.box("What to avoid")
    box = group.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.8, box["y"] + 10
    editor.drag((x, y), (x, y - 50))
    editor.until(lambda: moved(before, editor.box("What to avoid"))[1] < -30)


def test_a_collapsed_node_hides_its_widgets(editor: Editor) -> None:
    node = editor.node("KSampler")
    node.get_by_role("button", name="Collapse").click()
    expect(node.get_by_label("steps", exact=True)).to_have_count(0)
    expect(node.get_by_role("button", name="Expand")).to_be_visible()
    editor.choose("KSampler")
    editor.page.keyboard.press("Alt+c")
    expect(node.get_by_label("steps", exact=True)).to_be_visible()


def test_f2_renames_a_node(editor: Editor) -> None:
    editor.choose("KSampler")
    editor.page.keyboard.press("F2")
    editor.page.get_by_role("textbox", name="Title").fill("Develop it")
    editor.page.keyboard.press("Enter")
    expect(editor.node("Develop it")).to_be_visible()


def test_notes_are_written_in_markdown_and_are_no_nodes(editor: Editor) -> None:
    editor.page.mouse.move(*editor.empty_place())
    editor.page.keyboard.press("Shift+N")
    field = editor.page.get_by_role("textbox", name="Text of the note")
    field.fill("## A heading\n\nand *words*")
    field.press("Control+Enter")
    note = editor.page.get_by_role("complementary", name="Note")
    expect(note.get_by_role("heading", name="A heading")).to_be_visible()
    editor.count("8 nodes, 11 wires")


def test_a_subgraph_is_made_entered_left_and_unpacked(editor: Editor) -> None:
    page = editor.page
    editor.choose("VAE Decode", "Upscale Image")
    page.keyboard.press("Control+Shift+E")
    editor.count("7 nodes, 10 wires")
    page.get_by_role("button", name="Enter subgraph").click(force=True)
    editor.count("2 nodes")
    expect(editor.node("Upscale Image")).to_be_visible()
    given = page.get_by_role("region", name=re.compile("^Inputs of "))
    expect(given.get_by_role("listitem").filter(has_text="samples")).to_contain_text("from sampler")
    expect(page.get_by_role("region", name=re.compile("^Outputs of ")).get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    editor.count("7 nodes, 10 wires")
    page.keyboard.press("Control+z")
    editor.count("8 nodes, 11 wires")


def test_the_right_button_opens_a_menu_that_the_keyboard_walks(editor: Editor) -> None:
    editor.page.mouse.click(*editor.grip("Upscale Image"), button="right")
    menu = editor.page.get_by_role("menu", name="Upscale Image")
    expect(menu).to_be_visible()
    menu.get_by_role("menuitem", name="Help").or_(menu.get_by_role("menuitemcheckbox", name="Help")).click()
    expect(editor.page.locator("#side-drawer")).to_contain_text("Upscale Image")


def test_a_wire_is_led_through_a_point_that_is_dragged_and_taken_back(editor: Editor) -> None:
    x, y = editor.page.evaluate(
        """() => {
            const wires = [...document.querySelectorAll(".wire")];
            const wire = wires.find((each) => each.dataset.wire.endsWith(".latent_image"));
            const line = wire.querySelector("path");
            const { x, y } = line.getPointAtLength(line.getTotalLength() * 0.6).matrixTransform(line.getScreenCTM());
            return [x, y];
        }"""
    )
    node = editor.box("KSampler")
    editor.page.mouse.dblclick(x, y)
    point = editor.page.locator(".wire-point")
    expect(point).to_have_count(1)
    editor.drag((x, y), (x + 60, y + 90))
    editor.until(lambda: abs((point.bounding_box() or node)["y"] - (y + 90)) < 12)
    assert moved(node, editor.box("KSampler")) == (0, 0)
    editor.page.keyboard.press("Control+z")
    editor.until(lambda: abs((point.bounding_box() or node)["y"] - y) < 12)
    editor.page.keyboard.press("Control+z")
    expect(point).to_have_count(0)


def test_chosen_nodes_are_brought_to_one_line_by_keys(editor: Editor) -> None:
    editor.choose("What to draw", "Empty Latent")
    editor.page.keyboard.press("Shift+R")

    def right(title: str) -> float:
        box = editor.box(title)
        return box["x"] + box["width"]

    editor.until(lambda: abs(right("What to draw") - right("Empty Latent")) < 1)


def test_a_wire_tells_what_travels_along_it(editor: Editor) -> None:
    def told(type: str) -> list[str]:
        return [title for title in editor.page.locator(".wire title").all_text_contents() if title.startswith(type)]

    assert all("\N{MULTIPLICATION SIGN}" not in title for title in told("LATENT"))
    editor.quick(811)
    editor.run()
    shown(editor.picture())
    editor.until(
        lambda: any(
            title.startswith("LATENT 1\N{MULTIPLICATION SIGN}4\N{MULTIPLICATION SIGN}") for title in told("LATENT")
        )
    )
    editor.until(
        lambda: any(
            title.startswith("IMAGE 1\N{MULTIPLICATION SIGN}256\N{MULTIPLICATION SIGN}256\N{MULTIPLICATION SIGN}3")
            for title in told("IMAGE")
        )
    )
    expect(
        editor.node("KSampler").get_by_title(
            re.compile("^latent: LATENT 1\N{MULTIPLICATION SIGN}4\N{MULTIPLICATION SIGN}")
        )
    ).to_be_attached()


def test_ports_that_fit_a_wire_show_the_letter_of_their_type(editor: Editor) -> None:
    def letters() -> list[str]:
        return editor.page.evaluate(
            """() => [...document.querySelectorAll(".port-grip")]
                .filter((grip) => getComputedStyle(grip, "::before").opacity === "1")
                .map((grip) => grip.dataset.letter)"""
        )

    mouse = editor.page.mouse
    mouse.move(*editor.empty_place())
    assert letters() == []
    mouse.move(*editor.port("VAE Decode", "out", "image"))
    mouse.down()
    mouse.move(*editor.empty_place(), steps=5)
    editor.until(lambda: set(letters()) == {"I"} and len(letters()) >= 3)
    mouse.up()
    editor.page.keyboard.press("Escape")
