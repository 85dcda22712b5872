/**
 * Which tabs were open: written down as they change, and opened again when the page comes back.
 *
 * Every page of this browser has a record of its own, and holds a lock on it while it is open. A page that is loaded
 * again takes up its record; a new page takes up that of one that was closed, or else starts with a template.
 */

import { createStore } from "zustand";
import { ApiError } from "../api/errors";
import { runStore } from "../app/run";
import { isDirty, type SavedAs, type TabStore, tabsStore } from "../app/store";
import type { Workflow } from "../document";
import { type LocalDraft, localKey } from "./drafts";
import { recallRun } from "./runs";
import { client, newId } from "./server";
import { forget, remember, remembered, rememberedKeys } from "./storage";

interface OpenTab {
  id: string;
  dirty: boolean;
  /** The job it showed. */
  job?: string;
}

interface PageRecord {
  tabs: OpenTab[];
  active: string;
  /** Unix seconds. */
  at: number;
}

/** Whether the tabs of last time are open: what is opened before could be opened twice. */
export const restoreStore = createStore<{ done: boolean }>()(() => ({ done: false }));

const PAGE = "page";
const FIRST_TEMPLATE = "text_to_image";
/** Records of pages that nobody came back to. */
const FORGOTTEN_S = 14 * 24 * 3600;

const recordKey = (page: string) => `${PAGE}.${page}`;
const session = () => sessionStorage;

/** Open the tabs of last time, or the first template. @returns the ids of tabs whose drafts are kept already. */
export async function restoreTabs(): Promise<{ page: string; kept: ReadonlySet<string> }> {
  const page = await takePage();
  const record = remembered<PageRecord>(recordKey(page));
  const kept = new Set<string>();
  if (record && record.tabs.length > 0) {
    const drafts = await serverDrafts();
    for (const open of record.tabs) if (await openAgain(open, drafts.get(open.id))) kept.add(open.id);
    const { tabs, activate } = tabsStore.getState();
    if (tabs.some((tab) => tab.getState().id === record.active)) activate(record.active);
  }
  if (kept.size === 0) await openFirst();
  restoreStore.setState({ done: true });
  return { page, kept };
}

/** Write down which tabs are open. */
export function recordTabs(page: string): void {
  const { tabs, active } = tabsStore.getState();
  const { shown } = runStore.getState();
  const record: PageRecord = { tabs: tabs.map((tab) => openTab(tab, shown)), active, at: Date.now() / 1000 };
  remember(recordKey(page), record);
}

function openTab(tab: TabStore, shown: Readonly<Record<string, string>>): OpenTab {
  const { id } = tab.getState();
  const job = shown[id];
  return { id, dirty: isDirty(tab.getState()), ...(job !== undefined && { job }) };
}

async function serverDrafts(): Promise<Map<string, LocalDraft>> {
  const drafts = await client.drafts().catch(() => []);
  return new Map(
    drafts.map((draft) => [
      draft.id,
      {
        workflow: draft.workflow,
        base: draft.base ?? null,
        title: draft.title ?? "",
        modified: draft.modified ?? 0,
      },
    ]),
  );
}

/** Open a tab from the newer of its two drafts. @returns whether there was one. */
async function openAgain(open: OpenTab, onServer: LocalDraft | undefined): Promise<boolean> {
  const here = remembered<LocalDraft>(localKey(open.id));
  const draft = here && (!onServer || here.modified >= onServer.modified - 1) ? here : onServer;
  if (!draft) return false;
  const saved: SavedAs | null = draft.base ?? null;
  const tab = tabsStore.getState().open(draft.workflow, { id: open.id, saved });
  if (open.dirty) markDirty(tab, draft.workflow);
  if (open.job) void showAgain(open.id, open.job);
  return true;
}

/** The tab has edits that its stored workflow has not: what was saved is another document. */
function markDirty(tab: TabStore, workflow: Workflow): void {
  tab.setState({ savedDocument: { ...workflow } });
}

async function showAgain(tab: string, id: string): Promise<void> {
  try {
    const run = await recallRun(client, await client.job(id));
    const { owners, shown } = runStore.getState();
    if (shown[tab] !== undefined) return; // a new run began meanwhile
    runStore.setState({ owners: { ...owners, [id]: tab } });
    runStore.getState().show(tab, run);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the job was deleted; its tab shows none
  }
}

async function openFirst(): Promise<void> {
  const workflow = await client.template(FIRST_TEMPLATE).catch(() => null);
  const { tabs } = tabsStore.getState();
  const untouched = tabs.length === 1 && tabs[0] && Object.keys(tabs[0].getState().document.nodes).length === 0;
  if (workflow && untouched) tabsStore.getState().open(workflow);
}

/** The record that this page goes on with: its own, one that a closed page left, or a new one. */
async function takePage(): Promise<string> {
  const own = remembered<string>(PAGE, session);
  for (const page of own === undefined ? left() : [own, ...left()]) {
    if (await hold(page)) return keep(page);
  }
  const page = newId();
  await hold(page);
  return keep(page);
}

function keep(page: string): string {
  remember(PAGE, page, session);
  return page;
}

/** Records of other pages, the newest first. */
function left(): string[] {
  const now = Date.now() / 1000;
  const records = rememberedKeys(`${PAGE}.`).flatMap((key) => {
    const record = remembered<PageRecord>(key);
    if (record && now - record.at < FORGOTTEN_S) return [{ page: key.slice(PAGE.length + 1), at: record.at }];
    forget(key);
    return [];
  });
  return records.sort((one, other) => other.at - one.at).map((record) => record.page);
}

/** Hold a record for as long as this page is open; false when another page does. */
function hold(page: string): Promise<boolean> {
  // Locks exist where the page came over https or from this machine; elsewhere two pages may share a record.
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`darkroom.${page}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
  });
}
