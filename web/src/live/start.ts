/** Everything that runs beside the page: following the server, keeping drafts, checking graphs, the commands. */

import { runStore } from "../app/run";
import { tabsStore } from "../app/store";
import { registerCommands } from "./commands";
import { connectionStore } from "./connection";
import { DraftKeeper } from "./drafts";
import { follow } from "./follow";
import { recordTabs, restoreTabs } from "./restoring";
import { client } from "./server";
import { loadSettings } from "./settings";
import { keepTitle } from "./title";
import { validateInBackground } from "./validation";
import { watchTabs } from "./watch";

/** Connect to the server and open the tabs of last time. @returns what ends it all. */
export function startLive(): () => void {
  registerCommands();
  void loadSettings();
  const stops = [follow(), keepTitle(), validateInBackground()];
  let ended = false;
  // Not at once: in development React starts everything twice, and the tabs must be opened once.
  const timer = setTimeout(() => {
    void restoreTabs().then(({ page, kept }) => {
      if (!ended) stops.push(keepDrafts(page, kept));
    });
  });
  return () => {
    ended = true;
    clearTimeout(timer);
    for (const stop of stops) stop();
  };
}

function keepDrafts(page: string, kept: ReadonlySet<string>): () => void {
  const keeper = new DraftKeeper(client);
  const record = () => recordTabs(page);
  const leave = () => {
    record();
    keeper.flush();
  };
  const hide = () => document.visibilityState === "hidden" && leave();
  const stops = [
    watchTabs({
      opened: (tab) => keeper.opened(tab, kept.has(tab.getState().id)),
      changed: (tab) => {
        keeper.changed(tab);
        record();
      },
      closed: (tab) => keeper.closed(tab),
    }),
    tabsStore.subscribe(record),
    runStore.subscribe((now, before) => now.shown !== before.shown && record()),
    connectionStore.subscribe((now, before) => {
      if (now.stream === "open" && before.stream !== "open") keeper.retry();
    }),
  ];
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", hide);
  record();
  return () => {
    window.removeEventListener("pagehide", leave);
    document.removeEventListener("visibilitychange", hide);
    for (const stop of stops) stop();
  };
}
