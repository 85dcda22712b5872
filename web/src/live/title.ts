/** The window's title: how far the run is that the tab on show shows, and what it is. */

import { runStore } from "../app/run";
import { activeTab, tabsStore, tabTitle } from "../app/store";
import { estimateOf } from "./durations";
import { jobsStore } from "./jobs";

const TICK_MS = 1000;

/** Keep the title true until the returned function is called. */
export function keepTitle(): () => void {
  const timer = setInterval(show, TICK_MS);
  const stops = [runStore.subscribe(show), tabsStore.subscribe(show), jobsStore.subscribe(show)];
  show();
  return () => {
    clearInterval(timer);
    for (const stop of stops) stop();
  };
}

function show(): void {
  const tab = activeTab().getState();
  const { jobs } = runStore.getState();
  const running = Object.values(jobs).find((run) => run.status === "running");
  const { queued } = jobsStore.getState();
  const share = running ? estimateOf(running).share : null;
  const front = running ? (share === null ? "Running" : `${Math.round(share * 100)} %`) : queued > 0 ? "Waiting" : "";
  const title = [front, tabTitle(tab), "Darkroom"].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
}
