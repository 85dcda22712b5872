/** How long nodes took lately, kept in this browser, so that a run can say how long it will take. */

import { useEffect, useState } from "react";
import { createStore, useStore } from "zustand";
import type { WireEvent } from "../api/answers";

import { type JobRun, runStore } from "../app/run";
import { tabsStore } from "../app/store";
import { type Durations, type Estimate, estimate, learn } from "./estimate";
import { typeIn } from "./inside";
import { remember, remembered } from "./storage";

const KEY = "durations";
const TICK_MS = 500;

export const durationsStore = createStore<{ durations: Durations }>()(() => ({
  durations: remembered<Durations>(KEY) ?? {},
}));

/** Note the time of a node that was computed. Call before the event is taken into the account. */
export function learnFrom(run: JobRun, event: WireEvent): void {
  if (event.type === "job_finished") remember(KEY, durationsStore.getState().durations);
  if (event.type !== "node_finished" || event.cached) return;
  const type = run.nodes[event.node]?.type;
  if (!type) return;
  durationsStore.setState(({ durations }) => ({ durations: learn(durations, type, event.seconds) }));
}

/** The estimate of a run now. */
export function estimateOf(run: JobRun, now = Date.now() / 1000): Estimate {
  const { owners, shown } = runStore.getState();
  const tab = owners[run.job] ?? Object.keys(shown).find((id) => shown[id] === run.job);
  const document = tabsStore
    .getState()
    .tabs.find((each) => each.getState().id === tab)
    ?.getState().document;
  const typeOf = (node: string) => document && typeIn(document, node);
  return estimate(run, durationsStore.getState().durations, typeOf, now);
}

/** The estimate of a job's run, renewed while it runs. */
export function useEstimate(job: string | undefined): Estimate & { run: JobRun | undefined } {
  const run = useStore(runStore, (state) => (job === undefined ? undefined : state.jobs[job]));
  useTick(run?.status === "running");
  return { run, ...(run ? estimateOf(run) : { share: null, left: null }) };
}

/** The estimate of several runs together: their mean share, and when the last one ends. */
export function useEstimates(jobs: readonly string[]): Estimate {
  const runs = useStore(runStore, (state) => state.jobs);
  useTick(jobs.length > 0);
  const known = jobs.flatMap((job) => (runs[job] ? [estimateOf(runs[job])] : []));
  const shares = known.map((each) => each.share ?? 0);
  const lefts = known.flatMap((each) => (each.left === null ? [] : [each.left]));
  return {
    share: shares.length > 0 ? shares.reduce((one, other) => one + other, 0) / shares.length : null,
    left: lefts.length > 0 ? Math.max(...lefts) : null,
  };
}

/** Draw again twice a second while something runs. */
function useTick(running: boolean): void {
  const [, setTicks] = useState(0);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setTicks((ticks) => ticks + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [running]);
}
