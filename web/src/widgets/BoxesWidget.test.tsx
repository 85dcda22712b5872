// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { Held, type Told } from "../testing/Held";
import { input } from "../testing/schemas";
import { type FileServer, Files, FilesContext } from "./files";

afterEach(cleanup);

const BOXES = input({ name: "boxes", type: "BOXES", widget: "boxes", default: [], required: false, maximum: 2 });
const SERVER: FileServer = {
  folder: async () => [],
  upload: async (_file, name) => name,
  uploadMask: async (_mask, original) => original,
  classes: async () => ["red apple", "banana", "cherries", "doughnut"],
  pictureUrl: (name) => name,
};

function show(told: Told[], start?: unknown) {
  render(
    <FilesContext value={new Files(SERVER)}>
      <Held schema={BOXES} start={start as never} told={told} checkpoint={() => "food.safetensors"} />
    </FilesContext>,
  );
}

test("boxes are added, labelled and placed in the list, and come as one value", async () => {
  const told: Told[] = [];
  show(told);
  await userEvent.click(screen.getByRole("button", { name: "Draw boxes: boxes, no boxes" }));
  await userEvent.click(await screen.findByRole("button", { name: "Add a box" }));
  await userEvent.type(await screen.findByLabelText("Label of box 1"), "banana");
  const left = screen.getByRole("spinbutton", { name: "Left" });
  await userEvent.clear(left);
  await userEvent.type(left, "5");
  expect(told).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Use these boxes" }));
  expect(told).toEqual([{ value: [{ label: "banana", box: [0.05, 0.3, 0.4, 0.4] }], final: true }]);
  expect(screen.getByRole("button", { name: "Edit boxes: boxes, 1 box" })).toBeTruthy();
});

test("the checkpoint's words are offered, and others are told apart from them", async () => {
  show([], [{ label: "bana", box: [0, 0, 0.5, 0.5] }]);
  await userEvent.click(screen.getByRole("button", { name: "Edit boxes: boxes, 1 box" }));
  const label = await screen.findByLabelText("Label of box 1");
  expect(document.querySelectorAll("datalist option")).toHaveLength(4);
  expect(screen.queryByText(/has not learnt this word/)).toBeNull();
  await userEvent.clear(label);
  await userEvent.type(label, "zebra");
  expect(
    screen.getByText("The model has not learnt this word; it knows red apple, banana, cherries and 1 more."),
  ).toBeTruthy();
});

test("no more boxes can be added than the input takes", async () => {
  show(
    [],
    [
      { label: "a", box: [0, 0, 0.5, 0.5] },
      { label: "b", box: [0.5, 0, 0.5, 0.5] },
    ],
  );
  await userEvent.click(screen.getByRole("button", { name: "Edit boxes: boxes, 2 boxes" }));
  expect((await screen.findByRole("button", { name: "Add a box" })).hasAttribute("disabled")).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Delete box 1" }));
  expect(screen.getByRole("button", { name: "Add a box" }).hasAttribute("disabled")).toBe(false);
  await userEvent.click(screen.getByRole("button", { name: "Undo" }));
  expect(screen.getByLabelText("Label of box 2")).toBeTruthy();
});

test("what was drawn is not thrown away by a slip", async () => {
  const told: Told[] = [];
  show(told);
  await userEvent.click(screen.getByRole("button", { name: /Draw boxes/ }));
  await userEvent.click(await screen.findByRole("button", { name: "Add a box" }));
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(screen.getByText("Leave without the boxes you drew?")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Keep drawing" }));
  expect(screen.getByLabelText("Label of box 1")).toBeTruthy();
  expect(told).toEqual([]);
});
