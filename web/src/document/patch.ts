/**
 * The difference between two JSON values as data, exact to the order of keys: how undo and redo are stored.
 *
 * Values are compared by reference first, so that the difference of two documents that share most of their parts (as
 * those before and after an edit do) costs no more than the edit itself.
 */

import type { JsonValue } from "./types";

export type Patch =
  | { kind: "same" }
  /** Another value altogether; undefined stands for "not there". */
  | { kind: "set"; value: JsonValue | undefined }
  /** An object, key by key. `insert` is in ascending order of the index that the key has in the result. */
  | {
      kind: "object";
      remove: string[];
      insert: [index: number, key: string, value: JsonValue][];
      edit: [key: string, Patch][];
    }
  /** A list of the same length, item by item. */
  | { kind: "list"; edit: [index: number, Patch][] };

export const SAME: Patch = { kind: "same" };

/** The patch that makes `after` of `before`. */
export function diff(before: unknown, after: unknown): Patch {
  if (Object.is(before, after)) return SAME;
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    const edit: [number, Patch][] = [];
    before.forEach((item, index) => {
      const change = diff(item, after[index]);
      if (change.kind !== "same") edit.push([index, change]);
    });
    return edit.length === 0 ? SAME : { kind: "list", edit };
  }
  if (isObject(before) && isObject(after)) return diffObjects(before, after);
  return { kind: "set", value: after as JsonValue | undefined };
}

/** Carry out a patch. Parts that it does not touch are shared with `value`. */
export function patched(value: unknown, patch: Patch): unknown {
  switch (patch.kind) {
    case "same":
      return value;
    case "set":
      return patch.value;
    case "list": {
      const list = [...(value as unknown[])];
      for (const [index, change] of patch.edit) list[index] = patched(list[index], change);
      return list;
    }
    case "object":
      return patchedObject(value as Record<string, unknown>, patch);
  }
}

type Entries = Record<string, unknown>;

function diffObjects(before: Entries, after: Entries): Patch {
  const remove = Object.keys(before).filter((key) => !has(after, key));
  const keys = Object.keys(after);
  const insert: [number, string, JsonValue][] = [];
  const edit: [string, Patch][] = [];
  keys.forEach((key, index) => {
    if (!has(before, key)) {
      insert.push([index, key, after[key] as JsonValue]);
      return;
    }
    const change = diff(before[key], after[key]);
    if (change.kind !== "same") edit.push([key, change]);
  });
  const kept = Object.keys(before).filter((key) => has(after, key));
  const wanted = keys.filter((key) => has(before, key));
  if (kept.some((key, index) => key !== wanted[index])) return { kind: "set", value: after as JsonValue };
  if (remove.length + insert.length + edit.length === 0) return SAME;
  return { kind: "object", remove, insert, edit };
}

function patchedObject(value: Entries, patch: Extract<Patch, { kind: "object" }>): Entries {
  const edits = new Map(patch.edit);
  const gone = new Set(patch.remove);
  const entries: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (gone.has(key)) continue;
    const change = edits.get(key);
    entries.push([key, change ? patched(item, change) : item]);
  }
  for (const [index, key, item] of patch.insert) entries.splice(index, 0, [key, item]);
  return Object.fromEntries(entries);
}

function has(object: Entries, key: string): boolean {
  return Object.hasOwn(object, key);
}

function isObject(value: unknown): value is Entries {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
