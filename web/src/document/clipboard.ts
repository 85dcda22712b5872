/** Copying parts of a workflow and pasting them, into the same one or another: the clipboard's text is JSON. */

import { parseJson, writeJson } from "../api/json";
import type { Change } from "./changes";
import { usedBy } from "./edits/subgraphs";
import { freeName } from "./ids";
import { mapLinks, readEnd, wiresInto } from "./links";
import { instanceType, scopeOf, subgraphOf } from "./scope";
import type { Box, Group, Note, Point, Subgraph, Workflow, WorkflowNode } from "./types";

/** What lies in the clipboard. Links to nodes outside are kept, for pasting with them. */
export interface Clip {
  darkroom_clip: 1;
  nodes: Record<string, WorkflowNode>;
  boxes: Record<string, Box>;
  wires: Record<string, Point[]>;
  groups: Group[];
  notes: Note[];
  /** The definitions that the nodes are instances of. */
  subgraphs: Record<string, Subgraph>;
}

export interface Chosen {
  nodes: Iterable<string>;
  groups?: Iterable<number>;
  notes?: Iterable<number>;
}

export function copy(document: Workflow, scopeId: string | undefined, chosen: Chosen): Clip {
  const scope = scopeOf(document, scopeId);
  const ids = new Set(chosen.nodes);
  const nodes = Object.fromEntries(Object.entries(scope?.nodes ?? {}).filter(([id]) => ids.has(id)));
  const layout = scope?.layout ?? {};
  const keys = new Set(Object.entries(nodes).flatMap(([id, node]) => wiresInto(id, node).map((wire) => wire.key)));
  const pick = <T>(list: T[] | undefined, indices: Iterable<number> | undefined) =>
    [...(indices ?? [])].flatMap((index) => list?.[index] ?? []);
  const used = new Set(
    Object.values(nodes).flatMap((node) => {
      const id = subgraphOf(node.type);
      return id === undefined ? [] : [...usedBy(document, id)];
    }),
  );
  return {
    darkroom_clip: 1,
    nodes,
    boxes: only(layout.nodes, ids),
    wires: only(layout.wires, keys),
    groups: pick(layout.groups, chosen.groups),
    notes: pick(layout.notes, chosen.notes),
    subgraphs: only(document.subgraphs, used),
  };
}

function only<T>(object: Record<string, T> | undefined, keys: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => keys.has(key)));
}

/** The clip in a text, or null when it is not one. */
export function readClip(text: string): Clip | null {
  if (!text.startsWith("{") || !text.includes("darkroom_clip")) return null;
  try {
    const clip = parseJson(text) as Partial<Clip>;
    if (clip.darkroom_clip !== 1 || typeof clip.nodes !== "object") return null;
    const sound = Object.values(clip.nodes ?? {}).every((node) => typeof node?.type === "string");
    if (!sound) return null;
    return {
      darkroom_clip: 1,
      nodes: clip.nodes ?? {},
      boxes: clip.boxes ?? {},
      wires: clip.wires ?? {},
      groups: clip.groups ?? [],
      notes: clip.notes ?? [],
      subgraphs: clip.subgraphs ?? {},
    };
  } catch {
    return null;
  }
}

export interface Pasted {
  changes: Change[];
  /** The new ids, in the clip's order. */
  nodes: string[];
}

/**
 * The changes that paste a clip.
 *
 * @param at where the clip's left upper corner comes to lie.
 * @param withOutside keeps links to nodes outside the clip where those nodes are there.
 */
export function paste(
  document: Workflow,
  scopeId: string | undefined,
  clip: Clip,
  at: Point,
  withOutside = false,
): Pasted {
  const scope = scopeOf(document, scopeId);
  if (!scope) return { changes: [], nodes: [] };
  const ids = new Map<string, string>();
  const taken = new Set(Object.keys(scope.nodes));
  for (const id of Object.keys(clip.nodes)) {
    const fresh = freeName(id, taken);
    taken.add(fresh);
    ids.set(id, fresh);
  }
  const { subgraphs, names } = broughtAlong(document, clip.subgraphs);
  const retyped = (node: WorkflowNode): WorkflowNode => {
    const id = subgraphOf(node.type);
    const name = id === undefined ? undefined : names.get(id);
    return name === undefined || name === id ? node : { ...node, type: instanceType(name) };
  };
  const nodes = Object.entries(clip.nodes).map(([id, node]) => {
    const linked = mapLinks(node, (from) => {
      const inside = ids.get(from.node);
      if (inside !== undefined) return { ...from, node: inside };
      return withOutside && Object.hasOwn(scope.nodes, from.node) ? from : null;
    });
    return [ids.get(id) as string, retyped(linked)] as const;
  });
  const boxes = [...Object.values(clip.boxes), ...clip.groups, ...clip.notes];
  const corner = (axis: 0 | 1) => (boxes.length === 0 ? 0 : Math.min(...boxes.map((box) => box.position[axis])));
  const by: Point = [at[0] - corner(0), at[1] - corner(1)];
  const shift = ([x, y]: Point): Point => [x + by[0], y + by[1]];
  const moved = <T extends { position: Point }>(item: T): T => ({ ...item, position: shift(item.position) });
  const added = Object.fromEntries(nodes);
  const kept = new Set(nodes.flatMap(([id, node]) => wiresInto(id, node).map((wire) => wire.key)));
  const wires = Object.entries(clip.wires).flatMap(([key, points]) => {
    const { node, name } = readEnd(key);
    const renamed = `${ids.get(node) ?? node}.${name}`;
    return kept.has(renamed) ? [[renamed, points.map(shift)] as const] : [];
  });
  const changes: Change[] = [];
  if (Object.keys(subgraphs).length > 0) changes.push({ type: "addSubgraphs", subgraphs });
  changes.push({
    type: "addNodes",
    ...(scopeId !== undefined && { in: scopeId }),
    nodes: added,
    boxes: Object.fromEntries(
      Object.entries(clip.boxes).flatMap(([id, box]) => {
        const fresh = ids.get(id);
        return fresh === undefined ? [] : [[fresh, moved(box)] as const];
      }),
    ),
    wires: Object.fromEntries(wires),
    groups: clip.groups.map(moved),
    notes: clip.notes.map(moved),
  });
  return { changes, nodes: [...ids.values()] };
}

/** Definitions to add, and what each is called here: one that the document has already is used as it is. */
function broughtAlong(
  document: Workflow,
  subgraphs: Record<string, Subgraph>,
): { subgraphs: Record<string, Subgraph>; names: Map<string, string> } {
  const here = document.subgraphs ?? {};
  const names = new Map<string, string>();
  const taken = new Set(Object.keys(here));
  for (const [id, definition] of Object.entries(subgraphs)) {
    const same = Object.hasOwn(here, id) && writeJson(here[id]) === writeJson(definition);
    const name = same ? id : freeName(id, taken);
    taken.add(name);
    names.set(id, name);
  }
  const fresh = Object.entries(subgraphs).flatMap(([id, definition]) => {
    const name = names.get(id) as string;
    if (Object.hasOwn(here, name)) return [];
    const nodes = Object.fromEntries(
      Object.entries(definition.nodes).map(([inner, node]) => {
        const used = subgraphOf(node.type);
        const to = used === undefined ? undefined : names.get(used);
        return [inner, to === undefined || to === used ? node : { ...node, type: instanceType(to) }];
      }),
    );
    return [[name, { ...definition, nodes }] as const];
  });
  return { subgraphs: Object.fromEntries(fresh), names };
}
