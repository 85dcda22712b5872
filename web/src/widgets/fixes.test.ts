import { expect, test } from "vitest";
import { CFG, PREFIX, SAMPLER, SEED, TOGGLE, WIDTH } from "../testing/schemas";
import { namedValues } from "./fixes";

const problem = (fix: string) => ({ code: "value_out_of_range", message: "It is wrong.", fix });

test.each([
  [WIDTH, "use 512 or 520", [512, 520]],
  [WIDTH, "use 16384", [16384]],
  [CFG, "use 0", [0]],
  [SEED, "use 18446744073709551615", [18446744073709551615n]],
  [SAMPLER, "use 'euler' or 'ddim'", ["euler", "ddim"]],
  [SAMPLER, "use 'a', 'b', 'c', 'd' or one of 3 more", ["a", "b", "c"]],
  [TOGGLE, "write true or false", [true, false]],
])("%o: %s", (schema, fix, values) => {
  expect(namedValues(problem(fix), schema)).toEqual(values);
});

test.each([
  [WIDTH, "use a smaller number"],
  [WIDTH, "write digits only"],
  [CFG, "write a number such as 0.5"],
  [PREFIX, "give a value"],
  [PREFIX, "rewrite it"],
])("advice names no value: %o %s", (schema, fix) => {
  expect(namedValues(problem(fix), schema)).toEqual([]);
});
