/** Being told of edits: of the tab on show, or of every tab. */

import { type TabStore, tabsStore } from "../app/store";
import type { Workflow } from "../document";

/** Call back with the tab on show: now, when another one comes on show, and when its document changes. */
export function watchTab(changed: (tab: TabStore) => void): () => void {
  let stop = () => {};
  let shown: TabStore | undefined;
  const attach = () => {
    const { tabs, active } = tabsStore.getState();
    const tab = tabs.find((each) => each.getState().id === active);
    if (!tab || tab === shown) return;
    stop();
    shown = tab;
    stop = onDocument(tab, () => changed(tab));
    changed(tab);
  };
  attach();
  const stopTabs = tabsStore.subscribe(attach);
  return () => {
    stop();
    stopTabs();
  };
}

/** Call back with every tab whose document, name or version changed, and with those that were opened or closed. */
export function watchTabs(listener: {
  opened(tab: TabStore): void;
  changed(tab: TabStore): void;
  closed(tab: TabStore): void;
}): () => void {
  const watched = new Map<TabStore, () => void>();
  const attach = () => {
    const open = new Set(tabsStore.getState().tabs);
    for (const tab of open) {
      if (watched.has(tab)) continue;
      watched.set(
        tab,
        tab.subscribe((now, before) => {
          if (now.document !== before.document || now.saved !== before.saved) listener.changed(tab);
        }),
      );
      listener.opened(tab);
    }
    for (const [tab, stop] of watched) {
      if (open.has(tab)) continue;
      stop();
      watched.delete(tab);
      listener.closed(tab);
    }
  };
  attach();
  const stopTabs = tabsStore.subscribe(attach);
  return () => {
    stopTabs();
    for (const stop of watched.values()) stop();
  };
}

function onDocument(tab: TabStore, changed: (document: Workflow) => void): () => void {
  return tab.subscribe((now, before) => {
    if (now.document !== before.document) changed(now.document);
  });
}
