/** Closing tabs without losing work. */

import { confirm } from "../live/desk";
import { activeTab, isDirty, type TabStore, tabsStore, tabTitle } from "./store";

/** Close a tab; one whose work is nowhere else is asked about first. */
export function askToClose(tab: TabStore = activeTab()): void {
  const state = tab.getState();
  const worth = isDirty(state) && Object.keys(state.document.nodes).length > 0;
  if (!worth) tabsStore.getState().close(state.id);
  else {
    confirm(
      {
        title: `Close “${tabTitle(state)}”?`,
        text: "It has edits that are not saved. They go with the tab.",
        action: "Close without saving",
      },
      () => tabsStore.getState().close(state.id),
    );
  }
}
