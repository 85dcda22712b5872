// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { Held, type Told } from "../testing/Held";
import { COLOUR, input, PREFIX, PROMPT, TOGGLE } from "../testing/schemas";
import { readColour } from "./ColourWidget";

afterEach(cleanup);

test("every letter is told, and the end of typing once", async () => {
  const told: Told[] = [];
  render(<Held schema={PREFIX} start="" told={told} />);
  await userEvent.type(screen.getByLabelText("filename prefix"), "ab");
  await userEvent.tab();
  expect(told).toEqual([
    { value: "a", final: false },
    { value: "ab", final: false },
    { value: "ab", final: true },
  ]);
});

test("leaving a text as it was tells nothing", async () => {
  const told: Told[] = [];
  render(<Held schema={PREFIX} start="darkroom" told={told} />);
  await userEvent.click(screen.getByLabelText("filename prefix"));
  await userEvent.tab();
  expect(told).toEqual([]);
});

test("a text of another form than wanted is remarked on", () => {
  render(<Held schema={input({ name: "size", pattern: "^\\d+x\\d+$" })} start="big" told={[]} />);
  expect(screen.getByText(/does not have the form/)).toBeTruthy();
});

test("Ctrl+Up weighs the word at the cursor, and again what is selected then", async () => {
  const told: Told[] = [];
  render(<Held schema={PROMPT} start="a red apple" told={told} />);
  const area = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "text" });
  area.focus();
  area.setSelectionRange(3, 3);
  fireEvent.keyDown(area, { key: "ArrowUp", ctrlKey: true });
  expect(area.value).toBe("a (red:1.05) apple");
  fireEvent.keyDown(area, { key: "ArrowUp", ctrlKey: true });
  expect(area.value).toBe("a (red:1.1) apple");
  fireEvent.blur(area);
  expect(told.at(-1)).toEqual({ value: "a (red:1.1) apple", final: true });
});

test("help stands under the label of a form's field and describes it", () => {
  render(<Held schema={PROMPT} start="" told={[]} />);
  const described = screen.getByRole("textbox").getAttribute("aria-describedby") ?? "";
  expect(document.getElementById(described)?.textContent).toBe("What the picture shows.");
});

test("a toggle is a switch", async () => {
  const told: Told[] = [];
  render(<Held schema={TOGGLE} told={told} />);
  const toggle = screen.getByRole("switch", { name: "add noise" });
  expect(toggle.getAttribute("aria-checked")).toBe("true");
  await userEvent.click(toggle);
  toggle.focus();
  await userEvent.keyboard(" ");
  expect(told.map(({ value }) => value)).toEqual([false, true]);
});

test("a colour can be typed in short", async () => {
  const told: Told[] = [];
  render(<Held schema={COLOUR} start="#ff8b3d" told={told} />);
  const code = screen.getByLabelText("colour");
  await userEvent.clear(code);
  await userEvent.type(code, "0af{Enter}");
  expect(told).toEqual([{ value: "#00aaff", final: true }]);
  await userEvent.clear(code);
  await userEvent.type(code, "blueish{Enter}");
  expect(screen.getByText(/is no colour/)).toBeTruthy();
});

test.each([
  ["#FFF", "#ffffff"],
  ["ff8b3d", "#ff8b3d"],
  ["#ff8b", null],
  ["red", null],
])("%s as a colour is %s", (text, colour) => {
  expect(readColour(text)).toBe(colour);
});
