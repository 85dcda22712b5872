/** Seeds: whole numbers from 0 to 2^64 - 1, exact. Beyond 2^53 - 1 they are a `bigint`. */

import type { InputSchema, JsonValue } from "../document";
import { numberOf } from "./numbers";

const LARGEST = 2n ** 64n - 1n;

export type Seed = number | bigint;

/** The seed a value says, in the input's range; null when it says none. */
export function seedOf(value: JsonValue | undefined): bigint | null {
  const number = value === undefined ? null : numberOf(value);
  if (number === null) return null;
  if (typeof number === "bigint") return number;
  return Number.isInteger(number) ? BigInt(number) : null;
}

/** As it is kept in the document: a number where that is exact, or else a bigint. */
export function asSeed(seed: bigint): Seed {
  const number = Number(seed);
  return Number.isSafeInteger(number) ? number : seed;
}

/** The least and the largest seed of an input. */
export function seedRange(schema: InputSchema): [bigint, bigint] {
  return [bound(schema.minimum) ?? 0n, bound(schema.maximum) ?? LARGEST];
}

/** A range's end as it was meant: 2^64 - 1 becomes 2^64 when JSON is read without care. */
function bound(end: number | bigint | null): bigint | null {
  if (end === null) return null;
  const exact = typeof end === "bigint" ? end : BigInt(Math.trunc(end));
  return exact > LARGEST ? LARGEST : exact;
}

/**
 * A new seed from the browser's random numbers.
 *
 * It is drawn below 2^53 even where more is allowed: such a seed survives every other program's JSON, and nobody
 * misses the rest.
 */
export function randomSeed(schema: InputSchema): Seed {
  const [least, most] = seedRange(schema);
  const end = most < BigInt(Number.MAX_SAFE_INTEGER) ? most : BigInt(Number.MAX_SAFE_INTEGER);
  const [word = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return asSeed(least + (word % (end - least + 1n)));
}
