/** Moving what is selected, with all that goes along: nodes inside a group, points of wires between moved nodes. */

import { here } from "../app/actions";
import type { Selection } from "../app/store";
import { type Change, type Point, snap } from "../document";
import { settingsStore } from "../live/settings";
import { boardStore } from "./board";
import { encloses } from "./geometry";
import { groupRect, nodeRect, noteRect, positionOf } from "./scene";

/** Where everything that moves was when the drag began. */
export interface Cargo {
  nodes: ReadonlyMap<string, Point>;
  groups: ReadonlyMap<number, Point>;
  notes: ReadonlyMap<number, Point>;
  wires: ReadonlyMap<string, Point[]>;
  deed: string;
}

/** Everything that moves with a selection. */
export function load(selection: Pick<Selection, "nodes" | "groups" | "notes">, deed: string): Cargo {
  const { scene, heights } = boardStore.getState();
  const nodes = new Map<string, Point>();
  const groups = new Map<number, Point>();
  const notes = new Map<number, Point>();
  for (const id of selection.nodes) {
    const item = scene.nodes.get(id);
    if (item) nodes.set(id, positionOf(item));
  }
  for (const index of selection.notes) {
    const note = scene.notes[index];
    if (note) notes.set(index, note.position);
  }
  for (const index of selection.groups) {
    const group = scene.groups[index];
    if (!group) continue;
    const frame = groupRect(group);
    groups.set(index, group.position);
    for (const item of scene.nodes.values()) {
      if (encloses(frame, nodeRect(item, heights.get(item.id)))) nodes.set(item.id, positionOf(item));
    }
    scene.notes.forEach((note, at) => {
      if (encloses(frame, noteRect(note))) notes.set(at, note.position);
    });
    scene.groups.forEach((inner, at) => {
      if (at !== index && encloses(frame, groupRect(inner))) groups.set(at, inner.position);
    });
  }
  const wires = new Map<string, Point[]>();
  for (const wire of scene.wires.values()) {
    if (wire.points.length > 2 && nodes.has(wire.from.node) && nodes.has(wire.to.node)) {
      wires.set(wire.key, wire.points.slice(1, -1));
    }
  }
  return { nodes, groups, notes, wires, deed };
}

/** Bring the cargo to where it is after moving `by` from the start. */
export function carry(cargo: Cargo, by: Point): void {
  const { tab, inside } = here();
  const shift = ([x, y]: Point): Point => [x + by[0], y + by[1]];
  const change: Change = {
    type: "move",
    ...inside,
    nodes: Object.fromEntries([...cargo.nodes].map(([id, point]) => [id, shift(point)])),
    groups: Object.fromEntries([...cargo.groups].map(([index, point]) => [index, shift(point)])),
    notes: Object.fromEntries([...cargo.notes].map(([index, point]) => [index, shift(point)])),
    wires: Object.fromEntries([...cargo.wires].map(([key, points]) => [key, points.map(shift)])),
  };
  tab.dispatch(change, cargo.deed);
}

/** A move from `start`, held to the grid when the user wants that. */
export function held(start: Point, by: Point): Point {
  if (!settingsStore.getState().snap) return [Math.round(by[0]), Math.round(by[1])];
  return [snap(start[0] + by[0]) - start[0], snap(start[1] + by[1]) - start[1]];
}

/** Follow the pointer with the selection until it is let go. For drags that the canvas library does not do. */
export function dragSelection(event: PointerEvent, zoom: number): void {
  const { selection } = here().tab;
  const cargo = load(selection, `drag ${event.timeStamp}`);
  const start = [...cargo.nodes.values(), ...cargo.groups.values(), ...cargo.notes.values()][0];
  if (!start) return;
  const from: Point = [event.clientX, event.clientY];
  const move = (now: PointerEvent) => {
    carry(cargo, held(start, [(now.clientX - from[0]) / zoom, (now.clientY - from[1]) / zoom]));
  };
  const up = () => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", up);
    here().tab.endDeed();
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", up);
  window.addEventListener("pointercancel", up);
}
