/** The workflows that the server keeps, for listing. */

import { createStore, useStore } from "zustand";
import type { DraftSummary, WorkflowSummary } from "../api/answers";
import { client } from "./server";

interface Saved {
  workflows: readonly WorkflowSummary[];
  /** Unsaved work of tabs, of all browsers. */
  drafts: readonly DraftSummary[];
  state: "new" | "ready" | "failed";
}

export const savedStore = createStore<Saved>()(() => ({ workflows: [], drafts: [], state: "new" }));

export function useSaved<T>(selector: (saved: Saved) => T): T {
  return useStore(savedStore, selector);
}

export async function loadSaved(): Promise<void> {
  try {
    const [workflows, drafts] = await Promise.all([client.workflows(), client.drafts()]);
    savedStore.setState({ workflows, drafts, state: "ready" });
  } catch (error) {
    savedStore.setState({ state: "failed" });
    throw error;
  }
}
