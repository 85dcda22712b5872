/** The queue and the history, as the server tells of them: loaded once, then kept true by events. */

import { createStore, useStore } from "zustand";
import type { WireEvent } from "../api/answers";
import type { Client } from "../api/client";
import type { Job } from "../api/types";
import { jobAfter } from "./account";

interface Jobs {
  /** Jobs that wait or run, by id. */
  live: Readonly<Record<string, Job>>;
  paused: boolean;
  /** How many wait: more than are loaded when the queue is very long. */
  queued: number;
  running: number;
  /** Finished jobs that match `search`, newest first, as many as were loaded. */
  past: readonly Job[];
  pastTotal: number;
  search: string;
  state: "loading" | "ready" | "failed";
}

/** How many are asked for at a time. */
const PAGE = 40;
const QUEUE_PAGE = 200;
const FINISHED = "done,failed,cancelled";

export const jobsStore = createStore<Jobs>()(() => ({
  live: {},
  paused: false,
  queued: 0,
  running: 0,
  past: [],
  pastTotal: 0,
  search: "",
  state: "loading",
}));

export function useJobs<T>(selector: (jobs: Jobs) => T): T {
  return useStore(jobsStore, selector);
}

/** Waiting jobs in the order in which they will run. */
export function waitingIn(live: Jobs["live"]): Job[] {
  return Object.values(live)
    .filter((job) => job.status === "queued")
    .sort((one, other) => one.position - other.position);
}

export function runningIn(live: Jobs["live"]): Job[] {
  return Object.values(live)
    .filter((job) => job.status === "running")
    .sort((one, other) => (one.started_at ?? 0) - (other.started_at ?? 0));
}

/** Read queue and history anew: at the start, and when events may have been missed. */
export async function loadJobs(client: Client): Promise<void> {
  try {
    const [queue, waiting, running, past] = await Promise.all([
      client.queue(),
      client.jobs({ status: "queued", limit: QUEUE_PAGE }),
      client.jobs({ status: "running", limit: QUEUE_PAGE }),
      client.jobs({ status: FINISHED, limit: PAGE, q: jobsStore.getState().search }),
    ]);
    const live = Object.fromEntries([...running.jobs, ...waiting.jobs].map((job) => [job.id, job]));
    jobsStore.setState({ ...queue, live, past: past.jobs, pastTotal: past.total, state: "ready" });
  } catch (error) {
    if (jobsStore.getState().state === "loading") jobsStore.setState({ state: "failed" });
    throw error;
  }
}

/** Show only finished jobs that match; an empty text shows all. */
export async function searchPast(client: Client, search: string): Promise<void> {
  jobsStore.setState({ search });
  const page = await client.jobs({ status: FINISHED, limit: PAGE, q: search });
  // A slower answer to an older text must not replace a newer one.
  if (jobsStore.getState().search === search) jobsStore.setState({ past: page.jobs, pastTotal: page.total });
}

export async function loadMorePast(client: Client): Promise<void> {
  const { past, search } = jobsStore.getState();
  const page = await client.jobs({ status: FINISHED, limit: PAGE, offset: past.length, q: search });
  const known = new Set(past.map((job) => job.id));
  jobsStore.setState({ past: [...past, ...page.jobs.filter((job) => !known.has(job.id))], pastTotal: page.total });
}

/** Take in a batch of events with one change of the store. */
export function receiveJobs(events: readonly WireEvent[]): void {
  jobsStore.setState((now) => events.reduce(after, now));
}

function after(now: Jobs, event: WireEvent): Jobs {
  if (event.type === "queue_changed") {
    return { ...now, paused: event.paused, queued: event.queued, running: event.running };
  }
  const id = event.job;
  if (id === null) return now;
  if (event.type === "job_removed") return without(now, id);
  const known = now.live[id] ?? (event.type === "job_queued" ? event.job_summary : undefined);
  if (!known) return now;
  const job = jobAfter(known, event);
  if (job === now.live[id]) return now;
  if (job.status === "queued" || job.status === "running") return { ...now, live: { ...now.live, [id]: job } };
  return past(without(now, id), job);
}

/** A job that has just finished goes to the top of the history, unless a search hides it. */
function past(now: Jobs, job: Job): Jobs {
  const text = now.search.trim().toLowerCase();
  if (text && !(job.name ?? "").toLowerCase().includes(text)) return now;
  return { ...now, past: [job, ...now.past], pastTotal: now.pastTotal + 1 };
}

function without(now: Jobs, id: string): Jobs {
  const { [id]: gone, ...live } = now.live;
  const kept = now.past.filter((job) => job.id !== id);
  const dropped = now.past.length - kept.length;
  if (!gone && dropped === 0) return now;
  return { ...now, live: gone ? live : now.live, past: kept, pastTotal: now.pastTotal - dropped };
}
