/** How long nodes took lately, kept in this browser, so that a run can say how long it will take. */

import { useEffect, useState } from "react";
import { createStore, useStore } from "zustand";
import type { WireEvent } from "../api/types";
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
  const [now, setNow] = useState(() => Date.now() / 1000);
  const running = run?.status === "running";
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now() / 1000), TICK_MS);
    return () => clearInterval(timer);
  }, [running]);
  return { run, ...(run ? estimateOf(run, Math.max(now, Date.now() / 1000)) : { share: null, left: null }) };
}
