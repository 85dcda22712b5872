/** Telling of jobs that finish while the user looks elsewhere. */

import type { JobFinished } from "../api/types";
import { notify } from "../app/notices";
import { runStore } from "../app/run";
import { tabsStore, tabTitle } from "../app/store";
import { inWords } from "./estimate";
import { jobsStore } from "./jobs";
import { settingsStore } from "./settings";

/** Say that a job of this page failed, or is done while another tab or window is in front. */
export function tellOf(event: JobFinished): void {
  const owner = event.job === null ? undefined : runStore.getState().owners[event.job];
  const { tabs, active } = tabsStore.getState();
  const tab = tabs.find((each) => each.getState().id === owner)?.getState();
  if (!tab || event.status === "cancelled" || event.status === "queued" || event.status === "running") return;
  const seen = document.visibilityState === "visible" && tab.id === active;
  const title = event.status === "done" ? `${tabTitle(tab)} is done` : `${tabTitle(tab)} failed`;
  const text = event.status === "done" ? tookWords(event) : (event.problems[0]?.message ?? "It gave no reason.");
  if (event.status === "failed" || !seen) {
    const show = { title: "Show", run: () => tabsStore.getState().activate(tab.id) };
    const action = tab.id === active ? {} : { action: show };
    notify({ kind: event.status === "done" ? "success" : "error", text: `${title}. ${text}`, ...action });
  }
  // One message for many jobs: the last of them says it.
  const last = jobsStore.getState().queued === 0;
  if (document.visibilityState === "hidden" && (last || event.status === "failed")) fromOutside(title, text);
}

function tookWords(event: JobFinished): string {
  return event.seconds === null ? "" : `It took ${inWords(event.seconds)}.`;
}

function fromOutside(title: string, text: string): void {
  if (!settingsStore.getState().notifications) return;
  if (typeof Notification === "undefined" || Notification.permission !== "granted") return;
  const shown = new Notification(title, { body: text, tag: "darkroom" });
  shown.onclick = () => {
    window.focus();
    shown.close();
  };
}
