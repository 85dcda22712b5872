/** Which panel or dialog is asked for. The shell and the panels open each other's through here. */

import { createStore, useStore } from "zustand";
import type { FileRef } from "../api/answers";
import type { Workflow } from "../document";
import { settingsStore } from "./settings";

export type PanelName =
  | "nodes"
  | "workflows"
  | "templates"
  | "queue"
  | "history"
  | "gallery"
  | "problems"
  | "help"
  | "settings";

/** A stale save: what is on the server now, and what this tab wanted to save. */
export interface Conflict {
  tab: string;
  name: string;
  mine: Workflow;
  theirs: { version: string; workflow: Workflow };
}

export type Asked =
  | { dialog: "saveAs"; tab: string }
  | { dialog: "conflict"; conflict: Conflict }
  | { dialog: "versions"; name: string }
  | { dialog: "sweep" }
  | { dialog: "compare"; left: FileRef; right: FileRef }
  | { dialog: "picture"; file: FileRef }
  | { dialog: "confirm"; title: string; text: string; action: string; danger: boolean; onConfirm(): void };

interface Desk {
  /** The panel that was asked for last; `times` grows with every wish, so that the same one can be asked for again. */
  wanted: { panel: PanelName; times: number } | null;
  dialog: Asked | null;
}

export const deskStore = createStore<Desk>()(() => ({ wanted: null, dialog: null }));

/** Ask the shell to bring a panel into view. */
export function openPanel(panel: PanelName): void {
  deskStore.setState(({ wanted }) => ({ wanted: { panel, times: (wanted?.times ?? 0) + 1 } }));
}

export function openDialog(dialog: Asked): void {
  deskStore.setState({ dialog });
}

export function closeDialog(): void {
  deskStore.setState({ dialog: null });
}

export function useDialog(): Asked | null {
  return useStore(deskStore, (desk) => desk.dialog);
}

/** Ask before something that cannot be undone, unless the user does not want to be asked. */
export function confirm(question: { title: string; text: string; action: string }, onConfirm: () => void): void {
  if (!settingsStore.getState().confirm_delete) onConfirm();
  else openDialog({ dialog: "confirm", danger: true, ...question, onConfirm });
}
