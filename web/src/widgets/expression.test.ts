import { expect, test } from "vitest";
import { evaluate } from "./expression";

test.each([
  ["512", 512],
  ["512*2", 1024],
  ["2 + 3 * 4", 14],
  ["(2+3)*4", 20],
  ["10 - 4 - 3", 3],
  ["100/8/2", 6.25],
  ["7 % 4", 3],
  ["2^3^2", 512],
  ["2**10", 1024],
  ["-2^2", -4],
  ["2^-1", 0.5],
  ["--3", 3],
  ["1.5e3", 1500],
  [".5", 0.5],
  ["0,5", 0.5],
  ["3 × 4 ÷ 2", 6],
])("%s is %d", (text, value) => {
  expect(evaluate(text)).toBe(value);
});

test.each(["", "abc", "1 +", "(1", "1)", "1 2", "1/0", "alert(1)", "constructor", "1;2", "1e999", "0x10", "()"])(
  "%s is no number",
  (text) => {
    expect(evaluate(text)).toBeNull();
  },
);

test("a text nested beyond all reason is refused, not followed until the stack ends", () => {
  expect(evaluate(`${"(".repeat(100_000)}1${")".repeat(100_000)}`)).toBeNull();
  expect(evaluate(`${"-".repeat(100_000)}1`)).toBeNull();
  expect(evaluate(`${"2^".repeat(100_000)}1`)).toBeNull();
});
