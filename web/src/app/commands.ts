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
