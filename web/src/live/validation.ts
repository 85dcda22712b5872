/** Checking graphs in the background while they are edited, so that mistakes show before a run. */

import type { Problem } from "../api/types";
import { runStore } from "../app/run";
import { type TabStore, tabsStore } from "../app/store";
import type { Workflow } from "../document";
import { client } from "./server";
import { watchTab } from "./watch";

const WAIT_MS = 400;

/** Validate the tab on show after each edit, until the returned function is called. */
export function validateInBackground(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  let checked: Workflow | undefined;
  const check = async (tab: TabStore) => {
    const { document, id } = tab.getState();
    if (document === checked) return;
    running?.abort();
    running = new AbortController();
    const problems = await problemsNow(document, running.signal);
    if (!problems || tab.getState().document !== document) return;
    checked = document;
    if (!same(runStore.getState().problems[id] ?? [], problems)) runStore.getState().setProblems(id, problems);
  };
  const stop = watchTab((tab) => {
    clearTimeout(timer);
    timer = setTimeout(() => void check(tab), WAIT_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
    running?.abort();
  };
}

/** Check the tab on show at once. */
export async function validateNow(): Promise<void> {
  const { tabs, active } = tabsStore.getState();
  const tab = tabs.find((each) => each.getState().id === active);
  const problems = tab && (await problemsNow(tab.getState().document));
  if (tab && problems) runStore.getState().setProblems(tab.getState().id, problems);
}

/** The problems of a document; undefined when the server cannot say now. An empty graph has none worth telling. */
async function problemsNow(document: Workflow, signal?: AbortSignal): Promise<readonly Problem[] | undefined> {
  if (Object.keys(document.nodes).length === 0) return [];
  return client.validate(document, undefined, signal).catch(() => undefined);
}

function same(one: readonly { code: string }[], other: readonly { code: string }[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
