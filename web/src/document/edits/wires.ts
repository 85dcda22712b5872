/** Edits of wires: connecting, disconnecting, leading through points. */

import type { InputEnd, WireChange } from "../changes";
import { linksOf, wireKey, writeLink } from "../links";
import { mapKeys, patchedWith, withKey, withoutKeys } from "../objects";
import { withScope } from "../scope";
import type { InputValue, Layout, Scope, Workflow, WorkflowNode } from "../types";
import { editLayout } from "./layout";

export function editWires(document: Workflow, change: WireChange): Workflow {
  return withScope(document, change.in, (scope) => {
    switch (change.type) {
      case "connect":
        return connect(scope, change);
      case "disconnect":
        return disconnect(scope, change.to);
      case "setWirePoints":
        return setPoints(scope, change);
    }
  });
}

function connect(scope: Scope, change: Extract<WireChange, { type: "connect" }>): Scope {
  const { from, to } = change;
  const node = nodeAt(scope, to.node);
  if (!node || !nodeAt(scope, from.node)) return scope;
  const link = writeLink(from);
  if (!change.grows) {
    // Whatever way the old wire took, the new one starts elsewhere.
    return dropPoints(setValue(scope, to.node, node, to.input, link), new Set([wireKey(to)]));
  }
  const links = linksOf(node.inputs?.[to.input]);
  const index = Math.min(to.index ?? links.length, links.length);
  const grown = [...links.slice(0, index), link, ...links.slice(index + 1)];
  const key = wireKey({ ...to, index });
  return dropPoints(setValue(scope, to.node, node, to.input, grown), new Set([key]));
}

function disconnect(scope: Scope, to: InputEnd): Scope {
  const node = nodeAt(scope, to.node);
  const value = node?.inputs?.[to.input];
  if (!node || linksOf(value).length === 0) return scope;
  if (!Array.isArray(value) || to.index === undefined) {
    const keys = linksOf(value).map((_, index) => wireKey(Array.isArray(value) ? { ...to, index } : to));
    return dropPoints(setValue(scope, to.node, node, to.input, undefined), new Set(keys));
  }
  const { index } = to;
  if (!(index in value)) return scope;
  const left = value.filter((_, at) => at !== index);
  const cut = setValue(scope, to.node, node, to.input, left.length > 0 ? left : undefined);
  // The wires after it close ranks, and their points with them.
  const moved = new Map(left.map((_, at) => [wireKey({ ...to, index: at + 1 }), wireKey({ ...to, index: at })]));
  for (let at = 0; at < index; at++) moved.delete(wireKey({ ...to, index: at + 1 }));
  return editLayout(dropPoints(cut, new Set([wireKey(to)])), (layout) =>
    layout.wires ? patchedWith(layout, { wires: mapKeys(layout.wires, (key) => moved.get(key) ?? key) }) : layout,
  );
}

function setPoints(scope: Scope, change: Extract<WireChange, { type: "setWirePoints" }>): Scope {
  const key = wireKey(change.to);
  if (change.points.length === 0) return dropPoints(scope, new Set([key]));
  const value = nodeAt(scope, change.to.node)?.inputs?.[change.to.input];
  if (linksOf(value).length <= (change.to.index ?? 0)) return scope;
  return editLayout(scope, (layout) => ({ ...layout, wires: withKey(layout.wires, key, change.points) }));
}

function dropPoints(scope: Scope, keys: ReadonlySet<string>): Scope {
  return editLayout(scope, (layout: Layout) =>
    layout.wires ? patchedWith(layout, { wires: withoutKeys(layout.wires, keys) }) : layout,
  );
}

function setValue(scope: Scope, id: string, node: WorkflowNode, input: string, value: InputValue | undefined): Scope {
  const inputs =
    value === undefined ? withoutKeys(node.inputs ?? {}, new Set([input])) : withKey(node.inputs, input, value);
  return { ...scope, nodes: withKey(scope.nodes, id, { ...node, inputs }) };
}

function nodeAt(scope: Scope, id: string): WorkflowNode | undefined {
  return Object.hasOwn(scope.nodes, id) ? scope.nodes[id] : undefined;
}
