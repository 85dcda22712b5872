/** The user's choices: kept in this browser at once, and on the server for the next one. */

import { createStore, useStore } from "zustand";
import { isObject, type JsonValue } from "../api/json";
import { client } from "./server";
import { remember, remembered } from "./storage";

export interface Settings {
  /** Nodes move in steps of the grid. */
  snap: boolean;
  /** How wires are drawn. */
  wires: "curved" | "straight" | "stepped";
  minimap: boolean;
  /** Show pictures of work in progress. */
  previews: boolean;
  /** Say through the system when a run ends in the background. */
  notifications: boolean;
}

const KEY = "settings";
const DEFAULTS: Settings = { snap: true, wires: "curved", minimap: true, previews: true, notifications: false };

export const settingsStore = createStore<Settings>()(() => accepted(remembered(KEY) ?? {}, DEFAULTS));

export function useSettings<T>(selector: (settings: Settings) => T): T {
  return useStore(settingsStore, selector);
}

export function changeSettings(change: Partial<Settings>): void {
  settingsStore.setState(change);
  remember(KEY, settingsStore.getState());
  // The server's copy is for other browsers; this one has what it needs.
  void client.changeSettings({ editor: { ...settingsStore.getState() } }).catch(() => undefined);
}

/** Take what the server has, where this browser has chosen nothing yet. */
export async function loadSettings(): Promise<void> {
  if (remembered(KEY) !== undefined) return;
  const stored = await client.settings().catch(() => null);
  if (isObject(stored) && isObject(stored.editor)) settingsStore.setState(accepted(stored.editor, DEFAULTS));
}

/** Stored settings may be of another version: each is taken only when it is of the right kind. */
export function accepted(stored: JsonValue, defaults: Settings): Settings {
  const given = isObject(stored) ? stored : {};
  const flag = (key: "snap" | "minimap" | "previews" | "notifications") => {
    const value = given[key];
    return typeof value === "boolean" ? value : defaults[key];
  };
  const wires = (["curved", "straight", "stepped"] as const).find((each) => each === given.wires);
  return {
    snap: flag("snap"),
    wires: wires ?? defaults.wires,
    minimap: flag("minimap"),
    previews: flag("previews"),
    notifications: flag("notifications"),
  };
}
