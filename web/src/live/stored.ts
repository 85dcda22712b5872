/** Workflows that are kept on the server: opening, saving, and what happens when two save the same one. */

import type { SaveOver } from "../api/client";
import { ApiError, sentence } from "../api/errors";
import { isObject } from "../api/json";
import { notify } from "../app/notices";
import { isDirty, type TabState, type TabStore, tabsStore, tabTitle } from "../app/store";
import type { Workflow } from "../document";
import { type Conflict, openDialog } from "./desk";
import { client } from "./server";

/** Names that this page is saving right now; what the server tells of them meanwhile is its own echo. */
const saving = new Set<string>();
/** How long after a save its echo may come, in ms. */
const ECHO_MS = 1000;

/** Open a stored workflow in a tab of its own, or go to the tab that has it. */
export async function openStored(name: string): Promise<void> {
  const open = tabOf(name);
  if (open) return tabsStore.getState().activate(open.getState().id);
  try {
    const { version, workflow } = await client.workflow(name);
    tabsStore.getState().open(workflow, { saved: { name, version } });
  } catch (error) {
    notify({ kind: "error", text: `${name} could not be opened. ${sentence(error)}` });
  }
}

/** Save a tab where it was saved before, or ask for a name. */
export async function saveTab(tab: TabStore): Promise<void> {
  const { saved, document } = tab.getState();
  if (!saved) return openDialog({ dialog: "saveAs", tab: tab.getState().id });
  await saveOver(tab, saved.name, document, { version: saved.version });
}

/** Save a tab under a new name. @throws ApiError when the name is taken (`conflict`) or not allowed. */
export async function saveAs(tab: TabStore, name: string): Promise<void> {
  const { document } = tab.getState();
  const version = await send(name, document, "new");
  saved(tab, name, version, document);
}

/** Settle a stale save: keep this tab's work, take the other's, or keep both. */
export async function settle(conflict: Conflict, choice: "mine" | "theirs" | "copy", copyName = ""): Promise<void> {
  const tab = tabsStore.getState().tabs.find((each) => each.getState().id === conflict.tab);
  if (!tab) return;
  const { version, workflow } = conflict.theirs;
  if (choice === "mine") await saveOver(tab, conflict.name, conflict.mine, { version });
  else if (choice === "copy") await saveAs(tab, copyName);
  else take(tab, conflict.name, version, workflow);
}

/** A stored workflow has another name now: so have the tabs that show it. */
export function renamed(name: string, to: string, version: string): void {
  const tab = tabOf(name);
  tab?.setState({ saved: { name: to, version } });
}

/** Put an older version into the workflow's tab, to be saved when it is wanted back; undo gives the present one. */
export async function openVersion(name: string, version: string, newest: boolean): Promise<void> {
  await openStored(name);
  const tab = tabOf(name);
  if (!tab || newest) return;
  try {
    const { workflow } = await client.version(name, version);
    tab.getState().dispatch({ type: "replace", document: workflow });
    notify({
      kind: "info",
      text: `This is an older version of ${name}.`,
      action: { title: "Save it as the newest", run: () => void saveTab(tab) },
    });
  } catch (error) {
    notify({ kind: "error", text: `That version could not be read. ${sentence(error)}` });
  }
}

/** The server tells that a workflow was saved. */
export function noticeSave(name: string, version: string): void {
  if (saving.has(name)) return;
  const tab = tabOf(name);
  const saved = tab?.getState().saved;
  if (!tab || !saved || saved.version === version) return;
  const edits = isDirty(tab.getState()) ? " Your edits are still here; saving will ask which to keep." : "";
  notify({
    kind: "info",
    text: `${name} was saved in another window.${edits}`,
    action: { title: "Show that version", run: () => void reopen(tab, name) },
  });
}

async function reopen(tab: TabStore, name: string): Promise<void> {
  try {
    const { version, workflow } = await client.workflow(name);
    take(tab, name, version, workflow);
  } catch (error) {
    notify({ kind: "error", text: `${name} could not be read. ${sentence(error)}` });
  }
}

/** Put another document in the tab; undo gives back what was there. */
function take(tab: TabStore, name: string, version: string, document: Workflow): void {
  tab.getState().dispatch({ type: "replace", document });
  tab.getState().markSaved({ name, version }, tab.getState().document);
}

async function saveOver(tab: TabStore, name: string, document: Workflow, over: { version: string }): Promise<void> {
  try {
    const version = await send(name, document, over);
    saved(tab, name, version, document);
  } catch (error) {
    const current = error instanceof ApiError && error.conflict ? currentOf(error) : undefined;
    if (!current) {
      notify({ kind: "error", text: `${name} could not be saved. ${sentence(error)}` });
      return;
    }
    const conflict = { tab: tab.getState().id, name, mine: document, theirs: current };
    openDialog({ dialog: "conflict", conflict });
  }
}

function saved(tab: TabStore, name: string, version: string, document: Workflow): void {
  tab.getState().markSaved({ name, version }, document);
  notify({ kind: "success", text: `Saved ${name}.` });
}

async function send(name: string, document: Workflow, over: SaveOver): Promise<string> {
  saving.add(name);
  try {
    return await client.save(name, document, over);
  } finally {
    setTimeout(() => saving.delete(name), ECHO_MS);
  }
}

/** The version that a refused save lost against; undefined when it is gone altogether. */
function currentOf(error: ApiError): Conflict["theirs"] | undefined {
  const current = isObject(error.details) ? error.details.current : null;
  if (!isObject(current) || !isObject(current.workflow)) return undefined;
  return { version: String(current.version), workflow: current.workflow as unknown as Workflow };
}

function tabOf(name: string): TabStore | undefined {
  return tabsStore.getState().tabs.find((each) => each.getState().saved?.name === name);
}

/** A free name for a copy: `portrait copy`, `portrait copy 2`. */
export function copyName(name: string, taken: ReadonlySet<string>): string {
  const base = `${name.replace(/ copy( \d+)?$/, "")} copy`;
  for (let number = 1; ; number += 1) {
    const wish = number === 1 ? base : `${base} ${number}`;
    if (!taken.has(wish)) return wish;
  }
}

/** A name to offer for a tab that was never saved. */
export function suggestedName(tab: TabState): string {
  return tabTitle(tab)
    .replace(/[^\p{L}\p{N} ._-]+/gu, " ")
    .trim()
    .slice(0, 80);
}
