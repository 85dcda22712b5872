import { expect, test } from "vitest";
import type { InputSchema } from "../document";
import { countOf, firstRuns, firstValues, jobsOf, readValues } from "./sweeps";

const input = (part: Partial<InputSchema>): InputSchema => ({
  name: "x",
  type: "FLOAT",
  required: true,
  default: null,
  widget: "number",
  minimum: null,
  maximum: null,
  step: null,
  multiple_of: null,
  pattern: null,
  options: null,
  folder: null,
  canvas: null,
  lazy: false,
  is_list: false,
  variadic: false,
  help: "",
  ...part,
});
const STEPS = input({ type: "INT" });
const SEED = input({ type: "INT", widget: "seed" });

test.each([
  ["1, 2 4;8", [1, 2, 4, 8]],
  ["3", [3]],
  ["1..10 step 3", { from: 1, to: 10, step: 3 }],
  ["10..1 by 3", { from: 10, to: 1, step: -3 }],
  ["0..1 in 5", { from: 0, to: 1, count: 5 }],
  ["1 to 4", { from: 1, to: 4, step: 1 }],
  ["0.1..0.5", { from: 0.1, to: 0.5, step: 0.1 }],
])("%s is read", (text, values) => {
  expect(readValues(input({}), text)).toEqual({ values });
});

test("seeds keep all their digits", () => {
  expect(readValues(SEED, "1, 18446744073709551615")).toEqual({ values: [1, 2n ** 64n - 1n] });
});

test("what is no number is said", () => {
  expect(readValues(STEPS, "1, two")).toEqual({ error: "two is not a number." });
  expect(readValues(STEPS, "1.5")).toEqual({ error: "1.5 is not a whole number." });
  expect(readValues(STEPS, "1..9 step 0")).toEqual({ error: "The step must be more than 0." });
  expect(readValues(STEPS, "  ")).toMatchObject({ error: expect.any(String) });
});

test("texts are one a line, commas and all", () => {
  const text = input({ type: "STRING", widget: "multiline" });
  expect(readValues(text, "a cat, black\n\n a dog \n")).toEqual({ values: ["a cat, black", "a dog"] });
});

test("a combo takes only what it offers", () => {
  const sampler = input({ type: "COMBO", widget: "combo", options: ["euler", "heun"] });
  expect(readValues(sampler, "euler\nheun")).toEqual({ values: ["euler", "heun"] });
  expect(readValues(sampler, "euler\neular")).toEqual({ error: "There is no eular." });
});

test("a range holds both ends", () => {
  expect(countOf({ from: 1, to: 10, step: 3 })).toBe(4);
  expect(countOf({ from: 0, to: 1, step: 0.1 })).toBe(11);
  expect(firstValues({ from: 0, to: 1, step: 0.1 }, 4)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(firstValues({ from: 0, to: 1, count: 3 }, 9)).toEqual([0, 0.5, 1]);
});

test("every combination: the last input changes fastest", () => {
  const sweep = { mode: "product" as const, values: { a: [1, 2], b: ["x", "y", "z"] } };
  expect(jobsOf(sweep)).toBe(6);
  expect(firstRuns(sweep, 4)).toEqual([
    [
      ["a", 1],
      ["b", "x"],
    ],
    [
      ["a", 1],
      ["b", "y"],
    ],
    [
      ["a", 1],
      ["b", "z"],
    ],
    [
      ["a", 2],
      ["b", "x"],
    ],
  ]);
});

test("in step, all inputs need equally many values", () => {
  const values = { a: [1, 2], b: [3, 4] };
  expect(jobsOf({ mode: "zip", values })).toBe(2);
  expect(firstRuns({ mode: "zip", values }, 9)).toEqual([
    [
      ["a", 1],
      ["b", 3],
    ],
    [
      ["a", 2],
      ["b", 4],
    ],
  ]);
  expect(jobsOf({ mode: "zip", values: { a: [1], b: [1, 2] } })).toBe(0);
});
