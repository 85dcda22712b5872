/** Going to a node, wherever in the document it is. */

import { createStore } from "zustand";
import { activeTab } from "../app/store";
import { placeOf } from "./inside";

/** The node that the canvas is to bring into view; `times` grows so that the same can be asked for again. */
export const jumpStore = createStore<{ node: string | null; times: number }>()(() => ({ node: null, times: 0 }));

/** Select a node by the id that runs use, entering the subgraphs around it, and have the canvas show it. */
export function goTo(id: string): void {
  const tab = activeTab().getState();
  const place = placeOf(tab.document, id);
  if (!place) return;
  tab.leave(0);
  for (const step of place.path) activeTab().getState().enter(step.node);
  activeTab()
    .getState()
    .select({ nodes: new Set([place.node]) });
  jumpStore.setState(({ times }) => ({ node: place.node, times: times + 1 }));
}
