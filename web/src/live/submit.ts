/** Sending a tab's graph to the queue. */

import { createStore, useStore } from "zustand";
import { ApiError, problemsOf, sentence } from "../api/errors";
import type { Job, Sweep } from "../api/types";
import { catalogueStore } from "../app/catalogue";
import { notify } from "../app/notices";
import { runStore } from "../app/run";
import { activeTab, type TabStore, tabTitle } from "../app/store";
import { openPanel } from "./desk";
import { nextSeeds } from "./seeds";
import { client, clientId, newId } from "./server";

export interface RunOptions {
  /** How many jobs: more than one is of use with a seed that changes. */
  count?: number;
  /** Before everything that waits. */
  front?: boolean;
  /** Only these output nodes. */
  outputs?: string[];
  sweep?: Sweep;
}

interface Running {
  /** How many submissions are on their way. */
  sending: number;
  /** How many jobs the Run button queues at once. */
  count: number;
}

export const submitStore = createStore<Running>()(() => ({ sending: 0, count: 1 }));

export function useSubmit<T>(selector: (running: Running) => T): T {
  return useStore(submitStore, selector);
}

/** Queue the tab on show; problems are marked on its nodes and listed. @returns the jobs that were queued. */
export async function queueRun(options: RunOptions = {}, tab: TabStore = activeTab()): Promise<Job[]> {
  submitStore.setState(({ sending }) => ({ sending: sending + 1 }));
  const queued: Job[] = [];
  try {
    for (let done = 0; done < (options.count ?? 1); done += 1) queued.push(...(await send(tab, options)));
  } catch (error) {
    refused(tab, error);
  } finally {
    submitStore.setState(({ sending }) => ({ sending: sending - 1 }));
  }
  return queued;
}

async function send(tab: TabStore, { front, outputs, sweep }: RunOptions): Promise<Job[]> {
  const seeds = nextSeeds(tab.getState().document);
  if (seeds.length > 0) tab.getState().dispatch(seeds, "seeds");
  const { document, id } = tab.getState();
  const submit = {
    workflow: document,
    client: clientId,
    name: tabTitle(tab.getState()),
    ...(front && { front }),
    ...(outputs && { outputs }),
    ...(sweep && { sweep }),
  };
  const jobs = await submitOnce(submit);
  for (const job of jobs) runStore.getState().begin(id, job.id);
  return jobs;
}

/** Try a second time when the answer got lost; the key keeps one wish from becoming two jobs. */
async function submitOnce(submit: Parameters<typeof client.submit>[0]): Promise<Job[]> {
  const key = newId();
  try {
    return await client.submit(submit, key);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 503 && catalogueStore.getState().state !== "ready") await nodesKnown();
    else if (error.unreachable) await new Promise((resolve) => setTimeout(resolve, 500));
    else throw error;
    return client.submit(submit, key);
  }
}

/** When the first worker of a new home has told its nodes. */
function nodesKnown(): Promise<void> {
  notify({ kind: "info", text: "The worker starts for the first time. The run is queued as soon as it is ready." });
  return new Promise((known) => {
    const stop = catalogueStore.subscribe(({ state }) => {
      if (state !== "ready") return;
      stop();
      known();
    });
  });
}

function refused(tab: TabStore, error: unknown): void {
  const problems = problemsOf(error).filter((problem) => problem.node !== null || problem.code !== "mistake");
  const workflowIsWrong = error instanceof Error && "status" in error && error.status === 422;
  if (workflowIsWrong && problems.length > 0) {
    runStore.getState().setProblems(tab.getState().id, problems);
    openPanel("problems");
  }
  const first = problems[0]?.message;
  const text =
    workflowIsWrong && first
      ? `The graph cannot run yet. ${more(first, problems.length)}`
      : `The graph could not be queued. ${sentence(error)}`;
  notify({ kind: "error", text });
}

function more(first: string, count: number): string {
  return count > 1 ? `${first} And ${count - 1} more.` : first;
}
