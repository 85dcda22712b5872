/** Undo and redo of a value. Pure: each step is a new history. */

export interface History<T> {
  before: readonly T[];
  now: T;
  after: readonly T[];
  /** What the last step did: steps of one name in a row, such as moving by arrow keys, are undone at once. */
  deed: string;
}

const MOST = 200;

export function begin<T>(now: T): History<T> {
  return { before: [], now, after: [], deed: "" };
}

/** @param deed empty: a step of its own. */
export function step<T>(history: History<T>, now: T, deed = ""): History<T> {
  if (Object.is(now, history.now)) return history;
  const same = deed !== "" && deed === history.deed;
  const before = same ? history.before : [...history.before, history.now].slice(-MOST);
  return { before, now, after: [], deed };
}

export function undo<T>(history: History<T>): History<T> {
  const last = history.before.at(-1);
  if (history.before.length === 0) return history;
  return {
    before: history.before.slice(0, -1),
    now: last as T,
    after: [history.now, ...history.after],
    deed: "",
  };
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...after] = history.after;
  if (history.after.length === 0) return history;
  return { before: [...history.before, history.now], now: next as T, after, deed: "" };
}
