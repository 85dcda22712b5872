/** Feeding the run store: events in batches, previews as object URLs, and letting go of what nobody looks at. */

import type { WireEvent } from "../api/answers";
import type { Client } from "../api/client";
import type { Preview } from "../api/events";
import type { JobDetail } from "../api/types";
import { type JobRun, newRun, runStore } from "../app/run";
import { account, recalled } from "./account";
import { learnFrom } from "./durations";

/** Accounts of finished jobs that no tab shows; older ones are forgotten. */
const KEPT = 20;
/** A picture that was replaced may still be on its way to the screen. */
const RELEASE_MS = 2000;

/** Take in a batch of events with one change of the store. */
export function receiveRuns(events: readonly WireEvent[]): void {
  const before = runStore.getState();
  const jobs: Record<string, JobRun> = { ...before.jobs };
  const shown = { ...before.shown };
  for (const event of events) {
    const id = event.job;
    if (id === null) continue;
    if (event.type === "job_removed") {
      delete jobs[id];
      continue;
    }
    const run = jobs[id] ?? (event.type === "job_started" ? newRun(id) : undefined);
    if (!run) continue;
    learnFrom(run, event);
    jobs[id] = account(run, event);
    const owner = before.owners[id];
    if (event.type === "job_started" && owner !== undefined) shown[owner] = id;
  }
  prune(jobs, new Set(Object.values(shown)));
  release(before.jobs, jobs);
  runStore.setState({ jobs, shown });
}

/** Show a picture of work in progress; while nobody can see the page it is not even made. */
export function receivePreview(preview: Preview): void {
  if (document.visibilityState === "hidden") return;
  const before = runStore.getState().jobs;
  const run = before[preview.job];
  if (run?.status !== "running") return;
  const url = URL.createObjectURL(preview.image);
  const jobs = { ...before, [run.job]: { ...run, previews: { ...run.previews, [preview.node]: url } } };
  release(before, jobs);
  runStore.setState({ jobs });
}

/** Read the account of a job, past or running, that this page did not follow. */
export async function recallRun(client: Client, job: JobDetail): Promise<JobRun> {
  const events = await client.jobEvents(job.id).catch(() => []);
  const run = events.reduce(account, newRun(job.id));
  // The log is bounded: of an old job only what the history keeps is left.
  const whole = events[0]?.type === "job_queued" && run.status === job.status;
  return whole ? run : recalled(job);
}

function prune(jobs: Record<string, JobRun>, shown: ReadonlySet<string>): void {
  const idle = Object.values(jobs).filter(
    (run) => run.status !== "running" && run.status !== "queued" && !shown.has(run.job),
  );
  for (const run of idle.slice(0, Math.max(0, idle.length - KEPT))) delete jobs[run.job];
}

/** Give back the pictures that are no longer shown. */
function release(before: Readonly<Record<string, JobRun>>, after: Readonly<Record<string, JobRun>>): void {
  for (const [id, run] of Object.entries(before)) {
    if (after[id]?.previews === run.previews) continue;
    const kept = new Set(Object.values(after[id]?.previews ?? {}));
    const gone = Object.values(run.previews).filter((url) => !kept.has(url));
    if (gone.length > 0) setTimeout(() => gone.forEach((url) => void URL.revokeObjectURL(url)), RELEASE_MS);
  }
}
