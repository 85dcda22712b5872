/** What the shell shows besides the canvas: panels, the node search, menus, dialogs of its own. */

import { createStore, useStore } from "zustand";
import type { InputEnd, OutputEnd, Point } from "../document";
import type { MenuEntry } from "../theme";

/** The end of a wire that was dropped where nothing is: what is added gets connected to it. */
export type LooseEnd =
  | { kind: "output"; end: OutputEnd; type: string }
  | { kind: "input"; end: InputEnd; type: string };

export interface SearchAsked {
  /** Where the box opens, in the window. */
  screen: Point;
  /** Where the node goes, on the canvas. */
  at: Point;
  loose?: LooseEnd;
}

interface MenuAsked {
  label: string;
  at: { x: number; y: number };
  entries: MenuEntry[];
}

export type OwnDialog = "shortcuts" | { rename: string } | { connect: string };

interface Ui {
  search: SearchAsked | null;
  menu: MenuAsked | null;
  dialog: OwnDialog | null;
  /** The panel in the left rail and the one in the right drawer. */
  rail: string | null;
  drawer: string | null;
  /** What is being renamed in its place on the canvas: a node's or a group's title, a note's text. */
  editing: string | null;
}

export const uiStore = createStore<Ui>()(() => ({
  search: null,
  menu: null,
  dialog: null,
  rail: null,
  drawer: null,
  editing: null,
}));

export function useUi<T>(selector: (ui: Ui) => T): T {
  return useStore(uiStore, selector);
}

export function openMenu(label: string, at: { x: number; y: number }, entries: MenuEntry[]): void {
  uiStore.setState({ menu: { label, at, entries } });
}
