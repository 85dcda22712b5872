// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { Held, type Told } from "../testing/Held";
import { CFG, DENOISE, input, STEPS, WIDTH } from "../testing/schemas";

afterEach(cleanup);

function field(): HTMLInputElement {
  return screen.getByRole("spinbutton");
}

async function type(text: string): Promise<void> {
  await userEvent.clear(field());
  await userEvent.type(field(), text);
}

test("is called after its input, and shows the default where nothing is set", () => {
  render(<Held schema={STEPS} told={[]} />);
  expect(screen.getByLabelText("steps")).toBe(field());
  expect(field().value).toBe("20");
  expect(field().getAttribute("aria-valuemax")).toBe("10000");
});

test("what is typed counts with Enter, once", async () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} />);
  await type("30{Enter}");
  expect(told).toEqual([{ value: 30, final: true }]);
});

test("an expression is worked out", async () => {
  const told: Told[] = [];
  render(<Held schema={WIDTH} start={512} told={told} />);
  await type("512*2+64");
  await userEvent.tab();
  expect(told.at(-1)).toEqual({ value: 1088, final: true });
  expect(field().value).toBe("1088");
});

test("beyond its range it is moved to the end, and says so", async () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} />);
  await type("99999{Enter}");
  expect(told.at(-1)?.value).toBe(10_000);
  expect(screen.getByText("The most is 10000.")).toBeTruthy();
  expect(field().getAttribute("aria-describedby")).toContain("message");
});

test("a number between two multiples goes to the nearest, and says so", async () => {
  const told: Told[] = [];
  render(<Held schema={WIDTH} start={512} told={told} />);
  await type("517{Enter}");
  expect(told.at(-1)?.value).toBe(520);
  expect(screen.getByText("Multiples of 8 only.")).toBeTruthy();
});

test("what is no number is not taken, and the value stays", async () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} />);
  await type("many{Enter}");
  expect(told).toEqual([]);
  expect(field().value).toBe("20");
  expect(screen.getByText('"many" is no number.')).toBeTruthy();
});

test("Escape forgets what was typed", async () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} />);
  await type("30{Escape}");
  await userEvent.tab();
  expect(told).toEqual([]);
  expect(field().value).toBe("20");
});

test("arrows step, ten times as far with Ctrl; holding one down is one edit", async () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} />);
  field().focus();
  await userEvent.keyboard("{ArrowUp>3/}");
  expect(told.map(({ value }) => value)).toEqual([21, 22, 23, 23]);
  expect(told.map(({ final }) => final)).toEqual([false, false, false, true]);
  await userEvent.keyboard("{Control>}{ArrowDown}{/Control}");
  expect(field().value).toBe("13");
});

test("Shift makes a tenth of a step, without the dust of binary fractions", async () => {
  const told: Told[] = [];
  render(<Held schema={CFG} start={7.5} told={told} />);
  field().focus();
  await userEvent.keyboard("{Shift>}{ArrowUp}{ArrowUp}{ArrowUp}{/Shift}");
  expect(field().value).toBe("7.53");
});

test("a step from a grid value stays on the grid and in the range", async () => {
  render(<Held schema={WIDTH} start={16384} told={[]} />);
  field().focus();
  await userEvent.keyboard("{ArrowUp}");
  expect(field().value).toBe("16384");
  await userEvent.keyboard("{ArrowDown}");
  expect(field().value).toBe("16376");
});

test("dragging sideways changes it and ends as one edit; a press alone puts the cursor in", () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} />);
  const mouse = { pointerId: 1, pointerType: "mouse", button: 0, clientY: 0 };
  field().setPointerCapture = () => {};
  fireEvent.pointerDown(field(), { ...mouse, clientX: 100 });
  fireEvent.pointerMove(field(), { ...mouse, clientX: 125 });
  fireEvent.pointerMove(field(), { ...mouse, clientX: 150 });
  fireEvent.pointerUp(field(), { ...mouse, clientX: 150 });
  expect(told.at(-1)).toEqual({ value: 30, final: true });
  expect(told.slice(0, -1).every(({ final }) => final === false)).toBe(true);

  fireEvent.pointerDown(field(), { ...mouse, clientX: 100 });
  fireEvent.pointerUp(field(), { ...mouse, clientX: 101 });
  expect(document.activeElement).toBe(field());
});

test("an integer beyond 2^53 stays exact", async () => {
  const told: Told[] = [];
  render(<Held schema={input({ name: "id", type: "INT", widget: "number" })} start={1} told={told} />);
  await type("9007199254740993{Enter}");
  expect(told.at(-1)?.value).toBe(9007199254740993n);
  expect(field().value).toBe("9007199254740993");
});

test("a problem is told, marks the field, and its fix is a click", async () => {
  const told: Told[] = [];
  const problem = { code: "value_out_of_range", message: "513 is not a multiple of 8.", fix: "use 512 or 520" };
  render(<Held schema={WIDTH} start={513} told={told} problem={problem} />);
  expect(field().getAttribute("aria-invalid")).toBe("true");
  const described = field().getAttribute("aria-describedby")?.split(" ") ?? [];
  expect(described.map((id) => document.getElementById(id)?.textContent)).toContain(problem.message);
  await userEvent.click(screen.getByRole("button", { name: "Use 520" }));
  expect(told).toEqual([{ value: 520, final: true }]);
});

test("a slider and the field beside it are one value", () => {
  const told: Told[] = [];
  render(<Held schema={DENOISE} start={0.5} told={told} />);
  const slider = screen.getByRole<HTMLInputElement>("slider", { name: "denoise, slider" });
  fireEvent.change(slider, { target: { value: "0.75" } });
  expect(field().value).toBe("0.75");
  fireEvent.keyUp(slider, { key: "ArrowRight" });
  expect(told.at(-1)).toEqual({ value: 0.75, final: true });
});

test("when disabled it takes nothing", async () => {
  const told: Told[] = [];
  render(<Held schema={STEPS} start={20} told={told} disabled />);
  await userEvent.type(field(), "5{Enter}");
  expect(told).toEqual([]);
});
