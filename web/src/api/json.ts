/**
 * JSON with exact integers.
 *
 * A seed goes up to 2^64 - 1, beyond what a JavaScript number holds (2^53 - 1): `JSON.parse` would round it silently
 * and the picture could never be made again. So whole numbers too large for a number become a `bigint` here, and
 * `writeJson` writes them back digit by digit. Everything that crosses the network, the clipboard or a file goes
 * through these two functions; the native `JSON` is for text that can hold no seed.
 */

import { parse, stringify } from "lossless-json";
import type { JsonValue } from "../document/types";

export type { JsonValue };
export type JsonObject = { [key: string]: JsonValue };

const WHOLE = /^-?\d+$/;
/** Only such text can hold an integer that a number cannot; all other text takes the much faster native way. */
const LONG_NUMBER = /\d{16}/;

/** Read JSON. @throws SyntaxError when `text` is not JSON. */
export function parseJson(text: string): JsonValue {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as JsonValue;
  return parse(text, null, exactNumber) as JsonValue;
}

/** Write JSON; parts that are `undefined` are left out, as `JSON.stringify` does. */
export function writeJson(value: unknown, space?: number): string {
  return stringify(value, undefined, space) ?? "null";
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function exactNumber(digits: string): number | bigint {
  const near = Number(digits);
  return WHOLE.test(digits) && !Number.isSafeInteger(near) ? BigInt(digits) : near;
}
