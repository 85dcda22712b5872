/** Edits of what lies on the canvas: positions, sizes, groups, notes, the points of wires. */

import type { CanvasChange } from "../changes";
import { mapValues, patchedWith, withItem, withKey, withoutKeys } from "../objects";
import { withScope } from "../scope";
import type { Box, Layout, Point, Scope, Workflow } from "../types";

export function editCanvas(document: Workflow, change: CanvasChange): Workflow {
  return withScope(document, change.in, (scope) => editLayout(scope, (layout) => edit(scope, layout, change)));
}

/** The scope with its layout edited. One that had none gets one only when there is something to note. */
export function editLayout<S extends Scope>(scope: S, edit: (layout: Layout) => Layout): S {
  const before = scope.layout ?? NONE;
  const after = edit(before);
  return after === before ? scope : { ...scope, layout: after };
}

const NONE: Layout = {};

function edit(scope: Scope, layout: Layout, change: CanvasChange): Layout {
  switch (change.type) {
    case "move":
      return move(scope, layout, change);
    case "resizeNode": {
      if (!Object.hasOwn(scope.nodes, change.node)) return layout;
      const box = layout.nodes?.[change.node] ?? { position: change.position ?? [0, 0] };
      const after = patchedWith<Box>(box, {
        size: change.size ?? undefined,
        ...(change.position && { position: change.position }),
      });
      return after === box && layout.nodes?.[change.node]
        ? layout
        : { ...layout, nodes: withKey(layout.nodes, change.node, after) };
    }
    case "addGroup":
      return { ...layout, groups: [...(layout.groups ?? []), change.group] };
    case "addNote":
      return { ...layout, notes: [...(layout.notes ?? []), change.note] };
    case "editGroup": {
      const groups = withItem(layout.groups, change.index, (group) => patchedWith(group, change.patch));
      return groups === layout.groups ? layout : { ...layout, groups };
    }
    case "editNote": {
      const notes = withItem(layout.notes, change.index, (note) => patchedWith(note, change.patch));
      return notes === layout.notes ? layout : { ...layout, notes };
    }
    case "removeMarks":
      return patchedWith(layout, {
        ...listWithout("groups", layout.groups, change.groups),
        ...listWithout("notes", layout.notes, change.notes),
      });
  }
}

function listWithout<K extends string, T>(
  key: K,
  list: T[] | undefined,
  indices: number[] | undefined,
): Partial<Record<K, T[]>> {
  if (!list || !indices?.some((index) => index in list)) return {};
  const gone = new Set(indices);
  return { [key]: list.filter((_, index) => !gone.has(index)) } as Partial<Record<K, T[]>>;
}

function move(scope: Scope, layout: Layout, change: Extract<CanvasChange, { type: "move" }>): Layout {
  let after = layout;
  const nodes = Object.entries(change.nodes ?? {})
    .filter(([id]) => Object.hasOwn(scope.nodes, id))
    .reduce<Record<string, Box> | undefined>((boxes, [id, position]) => {
      const box = boxes?.[id];
      if (box && samePoint(box.position, position)) return boxes;
      return withKey(boxes, id, { ...box, position });
    }, layout.nodes);
  if (nodes && nodes !== layout.nodes) after = { ...after, nodes };
  const groups = movedItems(layout.groups, change.groups);
  if (groups && groups !== layout.groups) after = { ...after, groups };
  const notes = movedItems(layout.notes, change.notes);
  if (notes && notes !== layout.notes) after = { ...after, notes };
  if (change.wires && layout.wires) {
    const wires = mapValues(layout.wires, (points, key) => change.wires?.[key] ?? points);
    if (wires !== layout.wires) after = { ...after, wires };
  }
  return after;
}

function movedItems<T extends { position: Point }>(
  list: T[] | undefined,
  positions: Record<number, Point> | undefined,
): T[] | undefined {
  return Object.entries(positions ?? {}).reduce(
    (now, [index, position]) =>
      withItem(now, Number(index), (item) => (samePoint(item.position, position) ? item : { ...item, position })),
    list,
  );
}

function samePoint(a: Point, b: Point): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

/** The layout without the boxes of nodes and the points of wires. */
export function withoutMarks(layout: Layout, nodes: ReadonlySet<string>, wires: ReadonlySet<string>): Layout {
  return patchedWith(layout, {
    ...(layout.nodes && { nodes: withoutKeys(layout.nodes, nodes) }),
    ...(layout.wires && { wires: withoutKeys(layout.wires, wires) }),
  });
}
