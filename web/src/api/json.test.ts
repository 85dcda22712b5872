import { expect, test } from "vitest";
import { parseJson, writeJson } from "./json";

const LARGEST = "18446744073709551615";

test("the largest seed comes back digit by digit", () => {
  const text = `{"seed":${LARGEST},"steps":20}`;
  const read = parseJson(text);
  expect(read).toEqual({ seed: 2n ** 64n - 1n, steps: 20 });
  expect(writeJson(read)).toBe(text);
});

test("whole numbers that a number holds stay numbers", () => {
  expect(parseJson(`[${Number.MAX_SAFE_INTEGER}, -1, 0.12345678901234568]`)).toEqual([
    Number.MAX_SAFE_INTEGER,
    -1,
    0.12345678901234568,
  ]);
});

test("digits inside text are left alone", () => {
  expect(parseJson(`{"text":"${LARGEST}"}`)).toEqual({ text: LARGEST });
});

test("a key called __proto__ is only a key", () => {
  const read = parseJson(`{"__proto__":{"polluted":${LARGEST}}}`);
  expect(Object.keys(read as object)).toEqual(["__proto__"]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("parts that are undefined are left out", () => {
  expect(writeJson({ a: undefined, b: [1], c: 2n ** 60n })).toBe('{"b":[1],"c":1152921504606846976}');
});

test("text that is not JSON is refused", () => {
  expect(() => parseJson(`{"seed":${LARGEST}`)).toThrow(SyntaxError);
});
