/** Where nodes lie: lining them up, spreading them evenly, laying out a whole graph. */

import dagre from "@dagrejs/dagre";
import type { Change } from "./changes";
import { wiresOf } from "./links";
import { catalogueOf } from "./ports";
import { carryOut } from "./reduce";
import type { Catalogue } from "./schema";
import { scopeOf } from "./scope";
import { sizeOf } from "./size";
import type { Point, Scope, Workflow } from "./types";

/** The canvas's grid, in pixels. */
export const GRID = 8;

export interface Placed {
  id: string;
  position: Point;
  size: Point;
}

export type Edge = "left" | "centre" | "right" | "top" | "middle" | "bottom";

export function snap(value: number): number {
  return Math.round(value / GRID) * GRID + 0;
}

/** New positions that bring one edge (or the middle line) of all boxes to the same place. */
export function align(boxes: readonly Placed[], edge: Edge): Record<string, Point> {
  if (boxes.length < 2) return {};
  const axis = edge === "left" || edge === "centre" || edge === "right" ? 0 : 1;
  const low = Math.min(...boxes.map((box) => box.position[axis]));
  const high = Math.max(...boxes.map((box) => box.position[axis] + box.size[axis]));
  const share = edge === "left" || edge === "top" ? 0 : edge === "right" || edge === "bottom" ? 1 : 0.5;
  return positions(boxes, axis, (box) => low + (high - low - box.size[axis]) * share);
}

/** New positions with the same space between neighbours; the outermost two stay. */
export function distribute(boxes: readonly Placed[], along: "horizontal" | "vertical"): Record<string, Point> {
  if (boxes.length < 3) return {};
  const axis = along === "horizontal" ? 0 : 1;
  const sorted = [...boxes].sort((a, b) => a.position[axis] - b.position[axis]);
  const first = sorted[0] as Placed;
  const last = sorted.at(-1) as Placed;
  const filled = sorted.reduce((sum, box) => sum + box.size[axis], 0);
  const space = (last.position[axis] + last.size[axis] - first.position[axis] - filled) / (sorted.length - 1);
  const at = new Map<string, number>();
  let next = first.position[axis];
  for (const box of sorted) {
    at.set(box.id, next);
    next += box.size[axis] + space;
  }
  return positions(sorted, axis, (box) => at.get(box.id) ?? 0);
}

function positions(boxes: readonly Placed[], axis: 0 | 1, to: (box: Placed) => number): Record<string, Point> {
  return Object.fromEntries(
    boxes.map((box) => {
      const value = Math.round(to(box));
      return [box.id, axis === 0 ? [value, box.position[1]] : [box.position[0], value]] as [string, Point];
    }),
  );
}

/** The boxes of a scope's nodes, sizes reckoned from their schemas. */
export function placedNodes(scope: Scope, catalogue: Catalogue, ids?: Iterable<string>): Placed[] {
  const chosen = ids ? [...ids] : Object.keys(scope.nodes);
  return chosen.flatMap((id) => {
    const node = Object.hasOwn(scope.nodes, id) ? scope.nodes[id] : undefined;
    const box = scope.layout?.nodes?.[id];
    return node ? [{ id, position: box?.position ?? [0, 0], size: sizeOf(node, catalogue.get(node.type), box) }] : [];
  });
}

/**
 * Lay out nodes from left to right, along the wires.
 *
 * Source: Gansner et al. 1993, "A technique for drawing directed graphs", as dagre does it. The corner of the whole stays
 * where it was.
 */
export function autoLayout(scope: Scope, boxes: readonly Placed[]): Record<string, Point> {
  if (boxes.length === 0) return {};
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 32, ranksep: 72, edgesep: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const box of boxes) graph.setNode(box.id, { width: box.size[0], height: box.size[1] });
  for (const wire of wiresOf(scope)) {
    if (graph.hasNode(wire.from.node) && graph.hasNode(wire.to.node)) graph.setEdge(wire.from.node, wire.to.node);
  }
  dagre.layout(graph);
  const laid = boxes.map((box): Placed => {
    const { x, y } = graph.node(box.id) as { x: number; y: number };
    return { ...box, position: [x - box.size[0] / 2, y - box.size[1] / 2] };
  });
  const corner = (list: readonly Placed[], axis: 0 | 1) => Math.min(...list.map((box) => box.position[axis]));
  const by: Point = [corner(boxes, 0) - corner(laid, 0), corner(boxes, 1) - corner(laid, 1)];
  return Object.fromEntries(
    laid.map((box) => [box.id, [snap(box.position[0] + by[0]), snap(box.position[1] + by[1])] as Point]),
  );
}

/** The change that lays out a scope, or only some of its nodes. The wires' own points go. */
export function layOut(document: Workflow, catalogue: Catalogue, scopeId?: string, ids?: Iterable<string>): Change[] {
  const scope = scopeOf(document, scopeId);
  if (!scope) return [];
  const boxes = placedNodes(scope, catalogueOf(document, catalogue), ids);
  const chosen = new Set(boxes.map((box) => box.id));
  const inside = scopeId === undefined ? {} : { in: scopeId };
  const straight = wiresOf(scope)
    .filter((wire) => scope.layout?.wires?.[wire.key] && chosen.has(wire.to.node))
    .map((wire): Change => ({ type: "setWirePoints", ...inside, to: wire.to, points: [] }));
  return [...straight, { type: "move", ...inside, nodes: autoLayout(scope, boxes) }];
}

/** The document with every node placed: scopes in which some have no position are laid out. */
export function withPositions(document: Workflow, catalogue: Catalogue): Workflow {
  const scopes: [string | undefined, Scope][] = [[undefined, document], ...Object.entries(document.subgraphs ?? {})];
  const bare = scopes.filter(([, scope]) => Object.keys(scope.nodes).some((id) => !scope.layout?.nodes?.[id]));
  return bare.reduce((now, [id]) => applied(now, layOut(now, catalogue, id)), document);
}

function applied(document: Workflow, changes: readonly Change[]): Workflow {
  return changes.reduce((now, change) => carryOut(now, change), document);
}
