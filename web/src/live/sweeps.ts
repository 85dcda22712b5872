/** Reading what a sweep is to try: values as people write them, and how many runs that makes. Pure. */

import type { JsonValue } from "../api/json";
import type { Range, Sweep } from "../api/types";
import type { InputSchema, NodeSchema, Workflow } from "../document";

/** An input that can be swept. */
export interface Candidate {
  /** `node.input`. */
  key: string;
  label: string;
  schema: InputSchema;
  value: JsonValue | undefined;
}

export interface Axis {
  key: string;
  /** As it was typed. */
  text: string;
}

export type Values = { values: Range | JsonValue[] } | { error: string };

/** A sweep may not make more jobs than this. */
export const MOST_JOBS = 10_000;

const RANGE =
  /^(-?[\d.]+(?:e-?\d+)?)\s*(?:\.\.+|…|to)\s*(-?[\d.]+(?:e-?\d+)?)\s*(?:(step|by|in)\s*([\d.]+(?:e-?\d+)?))?$/i;

/** Inputs of the top level that are not linked, the ones people sweep first. */
export function candidates(document: Workflow, catalogue: ReadonlyMap<string, NodeSchema>): Candidate[] {
  return Object.entries(document.nodes).flatMap(([id, node]) => {
    const schema = catalogue.get(node.type);
    const inputs = schema?.inputs.filter((input) => input.widget !== null) ?? [];
    return inputs.flatMap((input) => {
      const value = node.inputs?.[input.name];
      if (typeof value === "object" && value !== null) return [];
      const title = node.title ?? schema?.title ?? node.type;
      return [{ key: `${id}.${input.name}`, label: `${title} › ${input.name}`, schema: input, value }];
    });
  });
}

/** How values of an input are written. */
export function hintOf({ widget }: InputSchema): string {
  if (widget === "number" || widget === "slider" || widget === "seed")
    return "1, 2, 4 or 1..10 or 1..10 step 3 or 0..1 in 5";
  return "One value a line";
}

/** Whether values are written one a line, because they may hold commas. */
export function byLine({ widget }: InputSchema): boolean {
  return !(widget === "number" || widget === "slider" || widget === "seed");
}

export function readValues(schema: InputSchema, text: string): Values {
  const trimmed = text.trim();
  if (!trimmed) return { error: "Write the values to try." };
  if (byLine(schema)) return readLines(schema, trimmed);
  const range = RANGE.exec(trimmed);
  return range ? readRange(schema, range) : readNumbers(schema, trimmed);
}

function readLines(schema: InputSchema, text: string): Values {
  const lines = text.split("\n").map((line) => line.trim());
  const values = lines.filter((line) => line !== "");
  if (schema.widget === "toggle") {
    const wrong = values.find((value) => value !== "true" && value !== "false");
    return wrong === undefined
      ? { values: values.map((value) => value === "true") }
      : { error: `Write true or false, not ${wrong}.` };
  }
  const unknown = schema.options && values.find((value) => !schema.options?.includes(value));
  return unknown ? { error: `There is no ${unknown}.` } : { values };
}

function readNumbers(schema: InputSchema, text: string): Values {
  const values: JsonValue[] = [];
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const value = readNumber(part);
    if (value === undefined) return { error: `${part} is not a number.` };
    if (schema.type === "INT" && typeof value === "number" && !Number.isInteger(value)) {
      return { error: `${part} is not a whole number.` };
    }
    values.push(value);
  }
  return { values };
}

function readRange(schema: InputSchema, [, low, high, word, by]: RegExpExecArray): Values {
  const from = Number(low);
  const to = Number(high);
  const amount = by === undefined ? undefined : Number(by);
  if (![from, to, amount ?? 0].every(Number.isFinite)) return { error: "The ends of the range are not numbers." };
  if (word?.toLowerCase() === "in") {
    const count = Math.round(amount ?? 0);
    return count >= 1 ? { values: { from, to, count } } : { error: "Say how many values: 0..1 in 5." };
  }
  const step = amount ?? (schema.type === "INT" || Math.abs(to - from) >= 1 ? 1 : 0.1);
  if (step <= 0) return { error: "The step must be more than 0." };
  return { values: { from, to, step: to < from ? -step : step } };
}

function readNumber(text: string): number | bigint | undefined {
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

/** How many values there are. */
export function countOf(values: Range | JsonValue[]): number {
  if (Array.isArray(values)) return values.length;
  if (values.count) return values.count;
  return Math.floor(Math.abs((values.to - values.from) / (values.step || 1)) + 1e-9) + 1;
}

/** How many runs come of it; 0 when values that go in step are not equally many. */
export function jobsOf(sweep: Sweep): number {
  const counts = Object.values(sweep.values).map(countOf);
  const [first = 0] = counts;
  if (sweep.mode === "zip") return counts.every((count) => count === first) ? first : 0;
  return counts.length === 0 ? 0 : counts.reduce((one, other) => one * other, 1);
}

/** The first values, for showing. */
export function firstValues(values: Range | JsonValue[], most: number): JsonValue[] {
  if (Array.isArray(values)) return values.slice(0, most);
  const count = countOf(values);
  const step = values.count ? (count > 1 ? (values.to - values.from) / (count - 1) : 0) : (values.step ?? 1);
  return Array.from({ length: Math.min(most, count) }, (_, index) => tidy(values.from + index * step));
}

/** The first runs of a sweep, as `[key, value]` pairs. */
export function firstRuns(sweep: Sweep, most: number): [string, JsonValue][][] {
  const axes = Object.entries(sweep.values).map(([key, values]) => ({ key, values: firstValues(values, most) }));
  const count = Math.min(most, jobsOf(sweep));
  return Array.from({ length: count }, (_, run) => {
    let rest = run;
    // Of a cross product the last input changes fastest.
    return axes.map(({ key, values }, at): [string, JsonValue] => {
      if (sweep.mode === "zip") return [key, values[run] ?? null];
      const inner = axes.slice(at + 1).reduce((size, axis) => size * Math.max(1, axis.values.length), 1);
      const index = Math.floor(rest / inner);
      rest -= index * inner;
      return [key, values[Math.min(index, values.length - 1)] ?? null];
    });
  });
}

/** 0.30000000000000004 is 0.3 to people. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
