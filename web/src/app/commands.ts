/** Everything that can be done from the keyboard: what it is called, its keys, and what it does. */

import { createStore, useStore } from "zustand";

export interface Command {
  /** Such as `run.queue`; the part before the dot groups it on the shortcuts page. */
  id: string;
  title: string;
  /** Such as `Mod+Enter` (Mod: Ctrl, or Command on a Mac), `Shift+?`, `.`. The first is shown in menus. */
  keys?: readonly string[];
  /** Also while typing in a field. */
  whileTyping?: boolean;
  /** Whether it can be done now. */
  enabled?: () => boolean;
  run: () => void | Promise<void>;
}

interface Commands {
  commands: Readonly<Record<string, Command>>;
  /** Add commands, or put them in the place of those with the same id. */
  register(commands: readonly Command[]): void;
}

export const commandStore = createStore<Commands>()((set) => ({
  commands: {},
  register: (commands) =>
    set((now) => ({
      commands: { ...now.commands, ...Object.fromEntries(commands.map((command) => [command.id, command])) },
    })),
}));

/** Do what a command does; nothing when it does not exist or cannot be done now. */
export function execute(id: string): void {
  const command = commandStore.getState().commands[id];
  if (command && (command.enabled?.() ?? true)) void command.run();
}

export function useCommands(): readonly Command[] {
  const commands = useStore(commandStore, (state) => state.commands);
  return Object.values(commands);
}

const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** Keys as they are written on this machine's keyboard. */
export function keysInWords(keys: string): string {
  return keys.replace("Mod", MAC ? "⌘" : "Ctrl");
}

/** The keys of a command, for menus and tooltips. */
export function shortcutOf(id: string): string | undefined {
  const keys = commandStore.getState().commands[id]?.keys?.[0];
  return keys === undefined ? undefined : keysInWords(keys);
}

/** Whether a key event is what a shortcut such as `Mod+Shift+Z` or `?` means. */
export function matches(keys: string, event: KeyboardEvent): boolean {
  const parts = keys.split("+");
  const key = parts.pop() ?? "";
  const wants = (name: string) => parts.includes(name);
  if (wants("Mod") !== (event.ctrlKey || event.metaKey) || wants("Alt") !== event.altKey) return false;
  const typed = event.key.toLowerCase();
  if (typed !== key.toLowerCase()) return false;
  // Signs such as `?` need Shift on some keyboards and not on others.
  const letter = /^[a-z]$/i.test(key) || key.length > 1;
  return !letter || wants("Shift") === event.shiftKey;
}
