// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { parseJson, writeJson } from "../api/json";
import { Held, type Told } from "../testing/Held";
import { input, SEED } from "../testing/schemas";
import { asSeed, randomSeed, seedOf, seedRange } from "./seed";

afterEach(cleanup);

const LARGEST = "18446744073709551615";

function field(): HTMLInputElement {
  return screen.getByRole("textbox", { name: "seed" });
}

test("the largest seed is shown, typed and kept to its last digit", async () => {
  const told: Told[] = [];
  render(<Held schema={SEED} start={parseJson(LARGEST)} told={told} />);
  expect(field().value).toBe(LARGEST);
  await userEvent.clear(field());
  await userEvent.type(field(), "18446744073709551614{Enter}");
  expect(told).toEqual([{ value: 18446744073709551614n, final: true }]);
  expect(writeJson({ seed: told[0]?.value })).toBe('{"seed":18446744073709551614}');
});

test("a small seed is an ordinary number", async () => {
  const told: Told[] = [];
  render(<Held schema={SEED} start={5} told={told} />);
  await userEvent.clear(field());
  await userEvent.type(field(), "42{Enter}");
  expect(told).toEqual([{ value: 42, final: true }]);
});

test("arrows go up and down by one, also beyond 2^53, and stop at the ends", async () => {
  const told: Told[] = [];
  render(<Held schema={SEED} start={9007199254740991} told={told} />);
  field().focus();
  await userEvent.keyboard("{ArrowUp}");
  expect(told.at(-1)?.value).toBe(9007199254740992n);
  await userEvent.keyboard("{ArrowDown}");
  expect(told.at(-1)?.value).toBe(9007199254740991);
});

test("beyond 2^64 - 1 it is moved there, and says so", async () => {
  const told: Told[] = [];
  render(<Held schema={SEED} start={1} told={told} />);
  await userEvent.clear(field());
  await userEvent.type(field(), "99999999999999999999{Enter}");
  expect(told.at(-1)?.value).toBe(18446744073709551615n);
  expect(screen.getByText(`Seeds go from 0 to ${LARGEST}.`)).toBeTruthy();
});

test("what is no whole number is not taken", async () => {
  const told: Told[] = [];
  render(<Held schema={SEED} start={1} told={told} />);
  await userEvent.clear(field());
  await userEvent.type(field(), "1.5{Enter}");
  expect(told).toEqual([]);
  expect(screen.getByText('"1.5" is no whole number.')).toBeTruthy();
});

test("the dice draw another seed", async () => {
  const told: Told[] = [];
  render(<Held schema={SEED} start={1} told={told} />);
  await userEvent.click(screen.getByRole("button", { name: "New random seed" }));
  await userEvent.click(screen.getByRole("button", { name: "New random seed" }));
  expect(told).toHaveLength(2);
  expect(told[0]?.value).not.toBe(told[1]?.value);
});

test("what becomes of it after a run is chosen from a menu", async () => {
  render(<Held schema={SEED} start={1} told={[]} />);
  await userEvent.click(screen.getByRole("button", { name: "After each run: fixed" }));
  expect(screen.getByRole("menuitemcheckbox", { name: "Keep this seed" }).getAttribute("aria-checked")).toBe("true");
  await userEvent.keyboard("{ArrowDown}{Enter}");
  expect(screen.getByRole("button", { name: "After each run: random" })).toBeTruthy();
});

test("random seeds stay in the input's range and survive any program's JSON", () => {
  const small = input({ name: "seed", type: "INT", widget: "seed", minimum: 5, maximum: 8 });
  const drawn = Array.from({ length: 200 }, () => Number(randomSeed(small)));
  expect(new Set(drawn)).toEqual(new Set([5, 6, 7, 8]));
  for (let count = 0; count < 100; count += 1) expect(Number.isSafeInteger(randomSeed(SEED))).toBe(true);
});

test("a range that was read without care still ends at 2^64 - 1", () => {
  expect(seedRange(input({ name: "seed", maximum: 2 ** 64 }))).toEqual([0n, 18446744073709551615n]);
});

test("seeds come as numbers, bigints and digits", () => {
  expect([seedOf(3), seedOf(3n), seedOf(LARGEST), seedOf(1.5), seedOf("many"), seedOf(null)]).toEqual([
    3n,
    3n,
    18446744073709551615n,
    null,
    null,
    null,
  ]);
  expect([asSeed(3n), asSeed(2n ** 60n)]).toEqual([3, 2n ** 60n]);
});
