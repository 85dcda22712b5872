/** What running and files can do from the keyboard. */

import { type Command, commandStore } from "../app/commands";
import { activeTab } from "../app/store";
import { attempt } from "./attempt";
import { openDialog } from "./desk";
import { jobsStore, runningIn } from "./jobs";
import { ACCEPTED, downloadDocument, exportApi, openFiles } from "./opening";
import { client } from "./server";
import { saveTab } from "./stored";
import { queueRun, submitStore } from "./submit";

export function registerCommands(): void {
  commandStore.getState().register([...RUN, ...FILE]);
}

/** Queue the tab on show as often as the Run button says. */
export function run(front = false): void {
  void queueRun({ count: submitStore.getState().count, front });
}

/** Cancel what runs now; what waits goes on. */
export async function cancelRunning(): Promise<void> {
  const running = runningIn(jobsStore.getState().live);
  await attempt("The run could not be cancelled", () => Promise.all(running.map((job) => client.cancel(job.id))));
}

export async function setPaused(paused: boolean): Promise<void> {
  const state = await attempt(paused ? "The queue could not be paused" : "The queue could not go on", () =>
    client.pause(paused),
  );
  if (state) jobsStore.setState(state);
}

/** Ask for files of graphs, and open them. */
export function chooseFiles(): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = ACCEPTED;
  input.onchange = () => void openFiles(input.files ?? []);
  input.click();
}

const isRunning = () => runningIn(jobsStore.getState().live).length > 0;

const RUN: Command[] = [
  { id: "run.queue", title: "Run", keys: ["Mod+Enter"], whileTyping: true, run: () => run() },
  {
    id: "run.front",
    title: "Run before everything that waits",
    keys: ["Mod+Shift+Enter"],
    whileTyping: true,
    run: () => run(true),
  },
  {
    id: "run.cancel",
    title: "Cancel the run",
    keys: ["Mod+Alt+Enter"],
    whileTyping: true,
    enabled: isRunning,
    run: cancelRunning,
  },
  { id: "run.pause", title: "Pause the queue, or let it go on", run: () => setPaused(!jobsStore.getState().paused) },
  { id: "run.sweep", title: "Run a sweep", run: () => openDialog({ dialog: "sweep" }) },
];

const FILE: Command[] = [
  { id: "file.save", title: "Save", keys: ["Mod+S"], whileTyping: true, run: () => saveTab(activeTab()) },
  {
    id: "file.saveAs",
    title: "Save as",
    keys: ["Mod+Shift+S"],
    whileTyping: true,
    run: () => openDialog({ dialog: "saveAs", tab: activeTab().getState().id }),
  },
  { id: "file.open", title: "Open a file", keys: ["Mod+O"], whileTyping: true, run: chooseFiles },
  { id: "file.download", title: "Download as JSON", run: () => downloadDocument() },
  { id: "file.export", title: "Export in ComfyUI's API format", run: () => exportApi() },
];
