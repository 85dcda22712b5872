/** What a number field knows of its input: the step of its arrows, its range, how it is written. */

import type { InputSchema, JsonValue } from "../document";
import { evaluate } from "./expression";

/** A number for the field, and a sentence when it is not the one that was asked for. */
export interface Settled {
  value: number | bigint;
  message: string;
}

const WHOLE = /^[+-]?\d+$/;

export function isWhole(schema: InputSchema): boolean {
  return schema.type === "INT";
}

/** How far an arrow goes. */
export function stepOf(schema: InputSchema): number {
  return schema.step ?? schema.multiple_of ?? (isWhole(schema) ? 1 : 0.1);
}

/** Read what was typed: digits, exact however many, or an expression. Null when it is neither. */
export function readNumber(text: string, schema: InputSchema): Settled | null {
  const digits = text.trim();
  if (WHOLE.test(digits) && !Number.isSafeInteger(Number(digits))) return settle(BigInt(digits), schema);
  const value = evaluate(text);
  return value === null ? null : settle(value, schema);
}

/** Bring a number into the input's range and grid, and say so when it had to move. */
export function settle(value: number | bigint, schema: InputSchema): Settled {
  const { minimum, maximum } = schema;
  if (minimum !== null && value < minimum) return { value: minimum, message: `The least is ${format(minimum)}.` };
  if (maximum !== null && value > maximum) return { value: maximum, message: `The most is ${format(maximum)}.` };
  if (typeof value === "bigint" || !isWhole(schema)) return { value: tidy(value), message: "" };
  const grid = schema.multiple_of ?? 1;
  const near = nearestMultiple(value, grid, minimum, maximum);
  if (near === value) return { value, message: "" };
  const message = grid === 1 ? "Whole numbers only." : `Multiples of ${grid} only.`;
  return { value: near, message };
}

function nearestMultiple(value: number, grid: number, minimum: number | null, maximum: number | null): number {
  const near = Math.round(value / grid) * grid;
  if (maximum !== null && near > maximum) return near - grid;
  return minimum !== null && near < minimum ? near + grid : near;
}

/** Move by steps; a bigint moves by whole ones. */
export function stepped(value: number | bigint, steps: number, schema: InputSchema): number | bigint {
  const by = steps * stepOf(schema);
  const moved = typeof value === "bigint" ? value + BigInt(Math.trunc(by)) : value + by;
  return settle(moved, schema).value;
}

/** The value as a number; null for what is none (a text that is not one, nothing). */
export function numberOf(value: JsonValue): number | bigint | null {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value !== "string" || value.trim() === "") return null;
  if (WHOLE.test(value) && !Number.isSafeInteger(Number(value))) return BigInt(value);
  return Number.isFinite(Number(value)) ? Number(value) : null;
}

/** As it stands in the field: no thousands marks, so that it can be typed over. */
export function format(value: number | bigint): string {
  return String(typeof value === "bigint" ? value : tidy(value));
}

/** 0.1 + 0.2 is 0.3 to anyone who looks at a field. */
function tidy(value: number | bigint): number | bigint {
  return typeof value === "bigint" ? value : Number(value.toPrecision(12));
}
