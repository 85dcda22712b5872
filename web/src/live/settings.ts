/** The user's choices. The server has them, for every browser; this one keeps a copy to start with. */

import { createStore, useStore } from "zustand";
import type { UserSettings } from "../api/answers";
import type { JsonObject } from "../api/json";
import { attempt } from "./attempt";
import { client } from "./server";
import { remember, remembered } from "./storage";

export interface Settings extends Pick<UserSettings, "snap" | "minimap" | "previews" | "confirm_delete"> {
  /** How wires are drawn. */
  wires: "curved" | "straight" | "stepped";
  /** Say through the system when a run ends in the background. Each browser asks for itself. */
  notifications: boolean;
}

const KEY = "settings";
const WIRES = ["curved", "straight", "stepped"] as const;
export const DEFAULTS: Settings = {
  snap: true,
  minimap: true,
  previews: true,
  confirm_delete: true,
  wires: "curved",
  notifications: false,
};

export const settingsStore = createStore<Settings>()(() => accepted(remembered<JsonObject>(KEY) ?? {}, DEFAULTS));

export function useSettings<T>(selector: (settings: Settings) => T): T {
  return useStore(settingsStore, selector);
}

export function changeSettings(change: Partial<Settings>): void {
  settingsStore.setState(change);
  remember(KEY, settingsStore.getState());
  const { notifications: _, ...shared } = change;
  if (Object.keys(shared).length === 0) return;
  void attempt("The setting could not be kept", () => client.changeSettings(shared));
}

/** Take what the server has. */
export async function loadSettings(): Promise<void> {
  const stored = await client.settings().catch(() => null);
  if (!stored) return;
  const { notifications } = settingsStore.getState();
  settingsStore.setState({ ...accepted({ ...stored }, DEFAULTS), notifications });
  remember(KEY, settingsStore.getState());
}

/** Stored settings may be of another version: each is taken only when it is of the right kind. */
export function accepted(given: JsonObject, defaults: Settings): Settings {
  const flag = (key: Exclude<keyof Settings, "wires">) => {
    const value = given[key];
    return typeof value === "boolean" ? value : defaults[key];
  };
  return {
    snap: flag("snap"),
    minimap: flag("minimap"),
    previews: flag("previews"),
    confirm_delete: flag("confirm_delete"),
    wires: WIRES.find((each) => each === given.wires) ?? defaults.wires,
    notifications: flag("notifications"),
  };
}
