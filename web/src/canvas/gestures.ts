/** Presses that the canvas takes before its library does: cutting wires, dragging copies, working far out. */

import type { PointerEvent as ReactPointerEvent } from "react";
import { duplicateSelection, here } from "../app/actions";
import { type Point, wireKey } from "../document";
import { boardStore, toCanvas } from "./board";
import type { Cut } from "./Cut";
import { dragSelection } from "./dragging";
import { readFlowId } from "./flow";
import { contains, linesCross, sampleWire } from "./geometry";
import { groupRect, nodeRect, noteRect } from "./scene";

/** Take a press if it begins one of these gestures; whether it did. */
export function claimPress(event: ReactPointerEvent, showCut: (cut: Cut | null) => void): boolean {
  if (event.button !== 0 || !(event.target instanceof Element)) return false;
  const pane = event.target.classList.contains("react-flow__pane");
  const inCanvas = pane || event.target.closest(".react-flow__viewport") !== null;
  if (!inCanvas) return false;
  const shiftCut = event.shiftKey && (event.ctrlKey || event.metaKey);
  if (pane && (event.altKey || shiftCut)) {
    cutWires(event.nativeEvent, showCut);
    return true;
  }
  if (event.altKey) return dragCopy(event);
  return boardStore.getState().far && pane && !event.ctrlKey && !event.metaKey && pressFar(event);
}

/** Cut every wire that the pointer is led across. */
function cutWires(event: PointerEvent, show: (cut: Cut | null) => void): void {
  const line: Point[] = [[event.clientX, event.clientY]];
  const move = (now: PointerEvent) => {
    line.push([now.clientX, now.clientY]);
    show({ line: [...line], wires: crossed(line).size });
  };
  const up = () => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", up);
    show(null);
    const keys = crossed(line);
    if (keys.size === 0) return;
    const { scene } = boardStore.getState();
    const { tab, inside } = here();
    const ends = [...scene.wires.values()].filter((wire) => keys.has(wire.key)).map((wire) => wire.to);
    // Of an input that grows the last place goes first, so that the others keep theirs.
    ends.sort((a, b) => (b.index ?? 0) - (a.index ?? 0) || wireKey(a).localeCompare(wireKey(b)));
    tab.dispatch(ends.map((to) => ({ type: "disconnect", ...inside, to })));
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", up);
  window.addEventListener("pointercancel", up);
}

function crossed(line: readonly Point[]): Set<string> {
  const { scene } = boardStore.getState();
  const path = line.map(toCanvas);
  const keys = new Set<string>();
  for (const wire of scene.wires.values())
    if (linesCross(path, sampleWire(wire.points, scene.style))) keys.add(wire.key);
  return keys;
}

/** Alt on a node's header or frame drags a copy of it, or of all that is selected. */
function dragCopy(event: ReactPointerEvent): boolean {
  const target = event.target as Element;
  const element = target.closest(".react-flow__node");
  if (!element || target.closest(".nodrag, input, textarea, button")) return false;
  const { kind, id } = readFlowId(element.getAttribute("data-id") ?? "");
  const { tab } = here();
  const set: ReadonlySet<string | number> =
    kind === "node" ? tab.selection.nodes : kind === "group" ? tab.selection.groups : tab.selection.notes;
  if (!set.has(kind === "node" ? id : Number(id))) {
    if (kind === "node") tab.select({ nodes: new Set([id]) });
    else tab.select(kind === "group" ? { groups: new Set([Number(id)]) } : { notes: new Set([Number(id)]) });
  }
  duplicateSelection([0, 0]);
  const native = event.nativeEvent;
  // The copies are on the scene only after they are drawn.
  requestAnimationFrame(() => dragSelection(native, boardStore.getState().camera?.view().zoom ?? 1));
  return true;
}

/** Far out there are no elements to press: find the node, note or frame by its place. */
function pressFar(event: ReactPointerEvent): boolean {
  const { scene, heights, camera } = boardStore.getState();
  const at = toCanvas([event.clientX, event.clientY]);
  const { tab } = here();
  const add = event.shiftKey;
  const node = [...scene.nodes.values()].reverse().find((item) => contains(nodeRect(item, heights.get(item.id)), at));
  const note = node ? -1 : scene.notes.findIndex((each) => contains(noteRect(each), at));
  const group = node || note >= 0 ? -1 : scene.groups.findIndex((each) => contains(groupRect(each), at));
  if (!node && note < 0 && group < 0) return false;
  const { selection } = tab;
  const chosen = node
    ? selection.nodes.has(node.id)
    : note >= 0
      ? selection.notes.has(note)
      : selection.groups.has(group);
  if (!chosen) {
    const kept = add ? selection : { nodes: new Set<string>(), notes: new Set<number>(), groups: new Set<number>() };
    tab.select({
      nodes: new Set([...kept.nodes, ...(node ? [node.id] : [])]),
      notes: new Set([...kept.notes, ...(note >= 0 ? [note] : [])]),
      groups: new Set([...kept.groups, ...(group >= 0 ? [group] : [])]),
    });
  }
  dragSelection(event.nativeEvent, camera?.view().zoom ?? 1);
  return true;
}
