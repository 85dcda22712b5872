/** Small things that this browser keeps. A full or forbidden storage loses them, never more. */

import { parseJson, writeJson } from "../api/json";

const PREFIX = "darkroom.";

export function remembered<T>(key: string, storage: () => Storage = () => localStorage): T | undefined {
  try {
    const text = storage().getItem(PREFIX + key);
    return text === null ? undefined : (parseJson(text) as T);
  } catch {
    return undefined;
  }
}

/** @returns whether it is kept. */
export function remember(key: string, value: unknown, storage: () => Storage = () => localStorage): boolean {
  try {
    storage().setItem(PREFIX + key, writeJson(value));
    return true;
  } catch {
    return false;
  }
}

export function forget(key: string, storage: () => Storage = () => localStorage): void {
  try {
    storage().removeItem(PREFIX + key);
  } catch {
    // Where nothing may be kept, nothing is there to forget.
  }
}

/** The keys that begin so, without the prefix of the editor. */
export function rememberedKeys(start: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + start))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
