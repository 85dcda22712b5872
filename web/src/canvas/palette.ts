/** The theme's colours as values, for painting on a bitmap. */

import type { JobRun } from "../app/run";
import { portLook } from "../theme";
import type { Palette } from "./paint";

/** @param prefix of run ids in the scope on show: `outer:` inside a subgraph. */
export function readPalette(run: JobRun | undefined, prefix: string): Palette {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim() || "#888888";
  const wires = new Map<string, string>();
  const states: Partial<Record<string, string>> = {
    running: read("--accent"),
    done: read("--success"),
    failed: read("--danger"),
  };
  return {
    node: read("--node"),
    title: read("--node-title"),
    border: read("--border"),
    selected: read("--accent"),
    group: read("--group"),
    note: read("--warning-soft"),
    text: read("--text"),
    wire: (type) => {
      let colour = wires.get(type);
      if (colour === undefined) {
        colour = read(portLook(type).colour.replace(/^var\((.*)\)$/, "$1"));
        wires.set(type, colour);
      }
      return colour;
    },
    state: (id) => states[run?.nodes[prefix + id]?.status ?? ""] ?? null,
  };
}
