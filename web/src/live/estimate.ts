/** How far a run is and how long it will still take, from how long nodes of each type took before. Pure. */

import type { JobRun, NodeRun } from "../app/run";

/** Seconds that a node of each type took lately, as a moving average. */
export type Durations = Readonly<Record<string, number>>;

export interface Estimate {
  /** Share done, 0 to 1; null while nothing can be told. */
  share: number | null;
  /** Seconds left; null while it would be a guess. */
  left: number | null;
}

/** What a node counts for that never ran here: most are quick beside those that sample and load models. */
const UNKNOWN_SECONDS = 0.2;
const UNKNOWN_BY_NAME: readonly [RegExp, number][] = [
  [/sampler|train/i, 10],
  [/^load|loader/i, 2],
];
/** Weight of the newest duration in the average. */
const NEWEST = 0.4;

/** Note how long a node took. */
export function learn(durations: Durations, type: string, seconds: number): Durations {
  const before = durations[type];
  return { ...durations, [type]: before === undefined ? seconds : before + NEWEST * (seconds - before) };
}

/**
 * @param typeOf the type of a node that has not started yet, where it is known.
 * @param now unix seconds.
 */
export function estimate(
  run: JobRun,
  durations: Durations,
  typeOf: (node: string) => string | undefined,
  now: number,
): Estimate {
  const ids = Object.keys(run.nodes);
  if (run.status !== "running" || ids.length === 0) return { share: run.status === "done" ? 1 : null, left: null };
  let done = 0;
  let left = 0;
  let guessed = false;
  for (const id of ids) {
    const node = run.nodes[id] as NodeRun;
    if (node.status === "cached") continue;
    if (node.status === "done") done += node.seconds ?? 0;
    else if (node.status === "waiting" || node.status === "running") {
      const part = remaining(node, node.type ?? typeOf(id) ?? "", durations, now);
      done += part.done;
      left += part.left;
      guessed ||= part.guessed;
    }
  }
  const whole = done + left;
  return { share: whole > 0 ? done / whole : null, left: guessed ? null : left };
}

function remaining(node: NodeRun, type: string, durations: Durations, now: number) {
  const known = durations[type];
  const expected = known ?? unknown(type);
  if (node.status === "waiting" || node.startedAt === undefined) {
    return { done: 0, left: expected, guessed: known === undefined && expected > 1 };
  }
  const spent = Math.max(0, now - node.startedAt);
  if (node.total && node.step) {
    // Its own steps say more than the past does.
    return { done: spent, left: (spent / node.step) * (node.total - node.step), guessed: false };
  }
  const left = Math.max(expected - spent, 0.05 * spent);
  return { done: spent, left, guessed: known === undefined && spent > 1 };
}

function unknown(type: string): number {
  return UNKNOWN_BY_NAME.find(([name]) => name.test(type))?.[1] ?? UNKNOWN_SECONDS;
}

/** Seconds as people say them: `8 s`, `1 min 20 s`, `2 h 5 min`. */
export function inWords(seconds: number): string {
  if (seconds < 9.95) return `${seconds < 0.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
