/** Undo and redo: a document with the patches that lead to what it was and what it may be again. */

import type { Change } from "./changes";
import { diff, type Patch, patched } from "./patch";
import { carryOut } from "./reduce";
import type { Workflow } from "./types";

/** One step of undo: a user's deed, perhaps of many changes (a drag, a word typed). */
interface Step {
  back: Patch;
  forth: Patch;
}

export interface History {
  readonly document: Workflow;
  readonly past: readonly Step[];
  readonly future: readonly Step[];
  /** The deed that the last step may still grow by, and the document before it. */
  readonly open: { deed: string; before: Workflow } | null;
}

/** Steps kept; the oldest are dropped. */
const LONGEST = 20_000;

export function startHistory(document: Workflow): History {
  return { document, past: [], future: [], open: null };
}

/**
 * Carry out changes as one step.
 *
 * Changes of the same `deed` (such as `drag:1` or `type:prompt.text`) that follow one another become one step, until
 * `close` is called or another deed is done.
 */
export function perform(history: History, changes: Change | readonly Change[], deed?: string): History {
  const list = Array.isArray(changes) ? (changes as readonly Change[]) : [changes as Change];
  const document = list.reduce((now, change) => carryOut(now, change), history.document);
  if (document === history.document) return history;
  const grows = deed !== undefined && history.open?.deed === deed;
  const before = grows && history.open ? history.open.before : history.document;
  const step = { back: diff(document, before), forth: diff(before, document) };
  const kept = grows ? history.past.slice(0, -1) : history.past;
  const past = step.forth.kind === "same" ? kept : [...kept.slice(kept.length >= LONGEST ? 1 : 0), step];
  return { document, past, future: [], open: deed === undefined || past === kept ? null : { deed, before } };
}

/** End the deed under way: what comes next is a step of its own. */
export function close(history: History): History {
  return history.open === null ? history : { ...history, open: null };
}

export function undo(history: History): History {
  const step = history.past.at(-1);
  if (!step) return history;
  return {
    document: patched(history.document, step.back) as Workflow,
    past: history.past.slice(0, -1),
    future: [...history.future, step],
    open: null,
  };
}

export function redo(history: History): History {
  const step = history.future.at(-1);
  if (!step) return history;
  return {
    document: patched(history.document, step.forth) as Workflow,
    past: [...history.past, step],
    future: history.future.slice(0, -1),
    open: null,
  };
}
