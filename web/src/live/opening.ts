/** Opening graphs from anywhere: files and pictures of ours and of ComfyUI, templates, past runs. And exporting them. */

import type { FileRef } from "../api/answers";
import { isObject, parseJson, writeJson } from "../api/json";
import { notify } from "../app/notices";
import { runStore } from "../app/run";
import { activeTab, type TabStore, tabsStore, tabTitle } from "../app/store";
import type { Problem, Workflow } from "../document";
import { attempt } from "./attempt";
import { openPanel } from "./desk";
import { downloadText } from "./pictures";
import { recallRun } from "./runs";
import { client } from "./server";

/** What the file dialog offers. */
export const ACCEPTED = ".json,.png,.webp,.jpg,.jpeg,application/json,image/png,image/webp,image/jpeg";

/** Open files that were dropped or chosen: each in a tab of its own. */
export async function openFiles(files: Iterable<File>): Promise<void> {
  for (const file of files) await attempt(`${file.name} could not be opened`, () => openFile(file));
}

async function openFile(file: File): Promise<void> {
  const isText = file.type === "application/json" || file.name.toLowerCase().endsWith(".json");
  const { workflow, problems } = await client.convert(isText ? await file.text() : file);
  const named = workflow.name ? workflow : { ...workflow, name: file.name.replace(/\.[^.]+$/, "") };
  const tab = tabsStore.getState().open(named);
  tell(tab, file.name, problems);
}

/** Text that was pasted: a workflow, or undefined when it is none. */
export async function openText(text: string): Promise<boolean> {
  if (!looksLikeWorkflow(text)) return false;
  const opened = await attempt("The pasted text could not be opened", async () => {
    const { workflow, problems } = await client.convert(text);
    tell(tabsStore.getState().open(workflow), "The pasted workflow", problems);
    return true;
  });
  return opened ?? false;
}

export function looksLikeWorkflow(text: string): boolean {
  if (!text.trimStart().startsWith("{")) return false;
  try {
    const value = parseJson(text);
    return (
      isObject(value) &&
      ("nodes" in value || Object.values(value).some((each) => isObject(each) && "class_type" in each))
    );
  } catch {
    return false;
  }
}

export async function openTemplate(name: string): Promise<void> {
  const workflow = await attempt("The template could not be opened", () => client.template(name));
  if (workflow) tabsStore.getState().open(workflow);
}

/** Open the graph that a picture was made with. */
export async function openPicture(file: FileRef): Promise<void> {
  await attempt(`The graph of ${file.filename} could not be opened`, async () => {
    const { workflow, prompt } = await client.metadata(file);
    const source = workflow ?? prompt;
    if (!source) {
      notify({
        kind: "warning",
        text: `${file.filename} carries no graph. Programs that edit pictures often drop it.`,
      });
      return;
    }
    const converted = await client.convert(writeJson(source));
    tell(tabsStore.getState().open(converted.workflow), file.filename, converted.problems);
  });
}

/** Open the graph of a past run as it was, with its pictures, times and errors on the nodes. */
export async function replay(id: string): Promise<void> {
  await attempt("The run could not be opened", async () => {
    const job = await client.job(id);
    const run = await recallRun(client, job);
    const workflow = job.workflow as unknown as Workflow;
    const tab = tabsStore.getState().open(workflow.name || !job.name ? workflow : { ...workflow, name: job.name });
    runStore.setState(({ owners }) => ({ owners: { ...owners, [id]: tab.getState().id } }));
    runStore.getState().show(tab.getState().id, run);
  });
}

/** Save the tab's document on the user's disk. */
export function downloadDocument(tab: TabStore = activeTab()): void {
  const { document } = tab.getState();
  downloadText(`${writeJson(document, 2)}\n`, `${fileName(tabTitle(tab.getState()))}.json`);
}

/** Save the tab's graph in ComfyUI's API format. */
export async function exportApi(tab: TabStore = activeTab()): Promise<void> {
  const { document } = tab.getState();
  const prompt = await attempt("The graph could not be exported", () => client.export(document));
  if (prompt !== undefined) {
    downloadText(`${writeJson(prompt, 2)}\n`, `${fileName(tabTitle(tab.getState()))}_api.json`);
  }
}

function tell(tab: TabStore, name: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const { id } = tab.getState();
  runStore.getState().setDoubts(id, problems);
  const count = problems.length === 1 ? "One thing" : `${problems.length} things`;
  notify({
    kind: "warning",
    text: `${name} was opened. ${count} in it could not be taken over as it stands.`,
    action: { title: "Show", run: () => openPanel("problems") },
  });
}

function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N}_-]+/gu, "_").replace(/^_+|_+$/g, "") || "workflow";
}
