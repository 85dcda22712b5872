/** A scene as the canvas library wants it: one flat list, frames at the back, ids that cannot be mixed up. */

import type { Node } from "@xyflow/react";
import type { Selection } from "../app/store";
import type { Group, Note } from "../document";
import { groupRect, noteRect, positionOf, type Scene, type SceneNode } from "./scene";

export type FlowNode = Node<{ item: SceneNode } | { group: Group; index: number } | { note: Note; index: number }>;

/** What a flow node's id stands for. */
export function readFlowId(id: string): { kind: "node" | "group" | "note"; id: string } {
  const colon = id.indexOf(":");
  return { kind: id.slice(0, colon) as "node" | "group" | "note", id: id.slice(colon + 1) };
}

export const flowId = (kind: "node" | "group" | "note", id: string | number) => `${kind}:${id}`;

interface Kept {
  item: SceneNode | Group | Note;
  selected: boolean;
  height: number | undefined;
  flow: FlowNode;
}

/** Makes flow nodes and remembers them, so that what did not change is the same object the next time. */
export class FlowNodes {
  private kept = new Map<string, Kept>();

  of(scene: Scene, selection: Selection, heights: ReadonlyMap<string, number>): FlowNode[] {
    const next = new Map<string, Kept>();
    const flow: FlowNode[] = [];
    const put = (
      id: string,
      item: Kept["item"],
      selected: boolean,
      height: number | undefined,
      make: () => FlowNode,
    ) => {
      const old = this.kept.get(id);
      const same = old && old.item === item && old.selected === selected && old.height === height;
      const kept = same ? old : { item, selected, height, flow: make() };
      next.set(id, kept);
      flow.push(kept.flow);
    };
    scene.groups.forEach((group, index) => {
      const id = flowId("group", index);
      const selected = selection.groups.has(index);
      put(id, group, selected, undefined, () => {
        const { x, y, width, height } = groupRect(group);
        const size = { width, height, measured: { width, height } };
        return { id, type: "group", position: { x, y }, data: { group, index }, selected, zIndex: -10, ...size };
      });
    });
    scene.notes.forEach((note, index) => {
      const id = flowId("note", index);
      const selected = selection.notes.has(index);
      put(id, note, selected, undefined, () => {
        const { x, y, width, height } = noteRect(note);
        const size = { width, height, measured: { width, height } };
        return { id, type: "note", position: { x, y }, data: { note, index }, selected, ...size };
      });
    });
    for (const item of scene.nodes.values()) {
      const id = flowId("node", item.id);
      const selected = selection.nodes.has(item.id);
      const seen = item.box?.collapsed ? undefined : heights.get(item.id);
      put(id, item, selected, seen, () => {
        const [x, y] = positionOf(item);
        const height = seen ?? item.plan.height;
        const measured = { width: item.plan.width, height };
        return { id, type: "node", position: { x, y }, data: { item }, selected, measured, handles: [] };
      });
    }
    this.kept = next;
    return flow;
  }
}
