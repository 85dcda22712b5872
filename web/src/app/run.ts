/**
 * What runs do, as far as the canvas shows it: one account per job, and which job each tab shows.
 *
 * The API client feeds it (`begin`, `receive`, `showPreview`); nodes and panels read it. Ids of nodes inside a subgraph
 * are `instance:inner`.
 */

import { createStore, useStore } from "zustand";
import type { Problem } from "../document";
import { tabsStore } from "./store";

export type NodeStatus = "waiting" | "running" | "done" | "cached" | "failed" | "skipped";

export interface NodeRun {
  status: NodeStatus;
  /** Its node type, once it started. */
  type?: string;
  /** Steps done and to do, while it runs. */
  step?: number;
  total?: number;
  text?: string;
  seconds?: number;
  /** What travels from each output measures, such as `1x256x256x3`; "" for what has no shape. */
  shapes?: readonly string[];
  /** The cache key of its result: what `freeze` holds on to. */
  key?: string;
  /** Unix seconds at which it started. */
  startedAt?: number;
}

/** A picture that a node made or is shown with. */
export interface PictureRef {
  filename: string;
  subfolder: string;
  type: "output" | "input" | "temp";
  width?: number;
  height?: number;
}

export interface NodeOutput {
  images?: PictureRef[];
  text?: string[];
  [other: string]: unknown;
}

export type JobStatus = "queued" | "running" | "done" | "failed" | "cancelled";

export interface JobRun {
  job: string;
  status: JobStatus;
  /** Number of the last event taken in. */
  seq?: number;
  nodes: Readonly<Record<string, NodeRun>>;
  /** Object URLs of the latest preview of each node that is being computed. */
  previews: Readonly<Record<string, string>>;
  outputs: Readonly<Record<string, NodeOutput>>;
  problems: readonly Problem[];
  /** Unix seconds. */
  startedAt?: number;
  seconds?: number;
}

interface RunState {
  jobs: Readonly<Record<string, JobRun>>;
  /** Which job each tab shows, by tab id. */
  shown: Readonly<Record<string, string>>;
  /** The tab that each job was queued from. */
  owners: Readonly<Record<string, string>>;
  /** Problems that validating or submitting found, by tab id, until the next edit or run. */
  problems: Readonly<Record<string, readonly Problem[]>>;
  /** What was not certain about the file that a tab was opened from, by tab id, until the user has read it. */
  doubts: Readonly<Record<string, readonly Problem[]>>;
  /** A tab's graph was queued as this job: show it there, unless the tab shows one that still runs. */
  begin(tab: string, job: string): void;
  /** Show a job in a tab: one that just started, or a past one. */
  show(tab: string, run: JobRun): void;
  update(job: string, change: (run: JobRun) => JobRun): void;
  setProblems(tab: string, problems: readonly Problem[]): void;
  setDoubts(tab: string, doubts: readonly Problem[]): void;
  forget(job: string): void;
}

export function newRun(job: string): JobRun {
  return { job, status: "queued", nodes: {}, previews: {}, outputs: {}, problems: [] };
}

export const runStore = createStore<RunState>()((set) => ({
  jobs: {},
  shown: {},
  owners: {},
  problems: {},
  doubts: {},
  begin: (tab, job) =>
    set((now) => {
      const before = now.jobs[now.shown[tab] ?? ""];
      const busy = before?.status === "running" || before?.status === "queued";
      return {
        jobs: now.jobs[job] ? now.jobs : { ...now.jobs, [job]: newRun(job) },
        shown: busy ? now.shown : { ...now.shown, [tab]: job },
        owners: { ...now.owners, [job]: tab },
        problems: { ...now.problems, [tab]: [] },
      };
    }),
  show: (tab, run) =>
    set((now) => ({ jobs: { ...now.jobs, [run.job]: run }, shown: { ...now.shown, [tab]: run.job } })),
  update: (job, change) =>
    set((now) => {
      const run = change(now.jobs[job] ?? newRun(job));
      return run === now.jobs[job] ? now : { jobs: { ...now.jobs, [job]: run } };
    }),
  setProblems: (tab, problems) => set((now) => ({ problems: { ...now.problems, [tab]: problems } })),
  setDoubts: (tab, doubts) => set((now) => ({ doubts: { ...now.doubts, [tab]: doubts } })),
  forget: (job) =>
    set((now) => {
      const { [job]: gone, ...jobs } = now.jobs;
      for (const url of Object.values(gone?.previews ?? {})) URL.revokeObjectURL(url);
      return { jobs };
    }),
}));

const IDLE = newRun("");

/** Part of the run that the tab on show is showing; an idle run when it shows none. */
export function useRun<T>(selector: (run: JobRun) => T): T {
  const tab = useStore(tabsStore, (state) => state.active);
  return useStore(runStore, (state) => selector(state.jobs[state.shown[tab] ?? ""] ?? IDLE));
}

const NO_PROBLEMS: readonly Problem[] = [];

/** What was not certain about the file that the tab on show was opened from. */
export function useDoubts(): readonly Problem[] {
  const tab = useStore(tabsStore, (state) => state.active);
  return useStore(runStore, (state) => state.doubts[tab] ?? NO_PROBLEMS);
}

/** Problems of the tab on show: those found before running, or else the run's own. */
export function useProblems(): readonly Problem[] {
  const tab = useStore(tabsStore, (state) => state.active);
  return useStore(runStore, (state) => {
    const found = state.problems[tab];
    if (found && found.length > 0) return found;
    return state.jobs[state.shown[tab] ?? ""]?.problems ?? NO_PROBLEMS;
  });
}
