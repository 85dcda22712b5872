/** Which theme is on: the system's, dark or light. Kept in this browser. */

import { create } from "zustand";

export type ThemeChoice = "system" | "dark" | "light";

const KEY = "darkroom.theme";

interface ThemeState {
  choice: ThemeChoice;
  choose(choice: ThemeChoice): void;
}

export const useTheme = create<ThemeState>((set) => ({
  choice: "dark",
  choose(choice) {
    localStorage.setItem(KEY, choice);
    show(choice);
    set({ choice });
  },
}));

/** Put on the theme that was chosen last (at first: the darkroom), and follow the system if that was. Returns what ends that. */
export function startTheme(): () => void {
  const choice = stored();
  useTheme.setState({ choice });
  show(choice);
  const system = matchMedia("(prefers-color-scheme: light)");
  const follow = () => show(useTheme.getState().choice);
  system.addEventListener("change", follow);
  return () => system.removeEventListener("change", follow);
}

function show(choice: ThemeChoice): void {
  const light = choice === "system" ? matchMedia("(prefers-color-scheme: light)").matches : choice === "light";
  document.documentElement.dataset.theme = light ? "light" : "dark";
}

function stored(): ThemeChoice {
  const value = localStorage.getItem(KEY);
  return value === "system" || value === "light" ? value : "dark";
}
