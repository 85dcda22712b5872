/** Edits of nodes: adding, removing, renaming, their values and looks. */

import type { NodeChange } from "../changes";
import { mapLinks, readEnd, wiresInto } from "../links";
import { mapKeys, mapValues, patchedWith, withKey, withoutKeys } from "../objects";
import { instanceType, withScope } from "../scope";
import type { Box, Layout, Scope, Subgraph, Workflow, WorkflowNode } from "../types";
import { editLayout, withoutMarks } from "./layout";

type Of<T extends NodeChange["type"]> = Extract<NodeChange, { type: T }>;

export function editNodes(document: Workflow, change: NodeChange): Workflow {
  switch (change.type) {
    case "addNodes":
      return withScope(document, change.in, (scope) => addNodes(scope, change));
    case "removeNodes":
      return removeNodes(document, change);
    case "renameNode":
      return renameNode(document, change);
    case "setInput":
      return editNode(document, change, (node) => setInput(node, change));
    case "setTitle":
      return editNode(document, change, (node) => patchedWith(node, { title: change.title ?? undefined }));
    case "freeze":
      return editNode(document, change, (node) => patchedWith(node, { frozen: change.key ?? undefined }));
    case "setMode": {
      const chosen = new Set(change.nodes);
      const mode = change.mode === "run" ? undefined : change.mode;
      return withScope(document, change.in, (scope) =>
        withNodes(
          scope,
          mapValues(scope.nodes, (node, id) => (chosen.has(id) ? patchedWith(node, { mode }) : node)),
        ),
      );
    }
    case "editBoxes":
      return withScope(document, change.in, (scope) => editBoxes(scope, change));
  }
}

export function withNodes<S extends Scope>(scope: S, nodes: Scope["nodes"]): S {
  return nodes === scope.nodes ? scope : { ...scope, nodes };
}

function editNode(
  document: Workflow,
  at: { in?: string; node: string },
  edit: (node: WorkflowNode) => WorkflowNode,
): Workflow {
  return withScope(document, at.in, (scope) => {
    const node = Object.hasOwn(scope.nodes, at.node) ? scope.nodes[at.node] : undefined;
    return node ? withNodes(scope, withKey(scope.nodes, at.node, edit(node))) : scope;
  });
}

function addNodes(scope: Scope, change: Of<"addNodes">): Scope {
  const fresh = Object.entries(change.nodes).filter(([id]) => !Object.hasOwn(scope.nodes, id));
  const added = fresh.length > 0 ? withNodes(scope, { ...scope.nodes, ...Object.fromEntries(fresh) }) : scope;
  const ids = new Set(fresh.map(([id]) => id));
  const boxes = Object.entries(change.boxes ?? {}).filter(([id]) => ids.has(id));
  return editLayout(added, (layout) => {
    const patch: Partial<Layout> = {};
    if (boxes.length > 0) patch.nodes = { ...layout.nodes, ...Object.fromEntries(boxes) };
    if (change.wires && Object.keys(change.wires).length > 0) patch.wires = { ...layout.wires, ...change.wires };
    if (change.groups?.length) patch.groups = [...(layout.groups ?? []), ...change.groups];
    if (change.notes?.length) patch.notes = [...(layout.notes ?? []), ...change.notes];
    return patchedWith(layout, patch);
  });
}

function removeNodes(document: Workflow, change: Of<"removeNodes">): Workflow {
  const gone = new Set(change.nodes);
  const removed = withScope(document, change.in, (scope) => {
    if (!change.nodes.some((id) => Object.hasOwn(scope.nodes, id))) return scope;
    return removeFromScope(scope, gone);
  });
  if (removed === document) return document;
  return change.in === undefined ? withoutFormEntries(removed, gone) : withoutPromoted(removed, change.in, gone);
}

function removeFromScope(scope: Scope, gone: ReadonlySet<string>): Scope {
  const wires = new Set<string>();
  const nodes = mapValues(withoutKeys(scope.nodes, gone), (node, id) => {
    const kept = mapLinks(node, (from) => (gone.has(from.node) ? null : from));
    // The wires of an input that grows close ranks, so their points cannot be told apart any longer.
    if (kept !== node) for (const wire of wiresInto(id, node)) if (lost(kept, wire.to.input)) wires.add(wire.key);
    return kept;
    function lost(after: WorkflowNode, input: string) {
      return after.inputs?.[input] !== node.inputs?.[input];
    }
  });
  for (const id of gone) {
    const node = scope.nodes[id];
    if (node) for (const wire of wiresInto(id, node)) wires.add(wire.key);
  }
  return editLayout(withNodes(scope, nodes), (layout) => withoutMarks(layout, gone, wires));
}

function withoutFormEntries(document: Workflow, gone: ReadonlySet<string>): Workflow {
  const form = document.form;
  if (!form) return document;
  const inputs = form.inputs.filter((entry) => !gone.has(readEnd(entry).node));
  const outputs = form.outputs.filter((id) => !gone.has(id));
  if (inputs.length === form.inputs.length && outputs.length === form.outputs.length) return document;
  return { ...document, form: { ...form, inputs, outputs } };
}

/** Inputs and outputs of a subgraph that led to removed nodes go, and with them what instances had linked to them. */
function withoutPromoted(document: Workflow, id: string, gone: ReadonlySet<string>): Workflow {
  const subgraph = document.subgraphs?.[id];
  if (!subgraph) return document;
  const inputs = subgraph.inputs
    .map((input) => {
      const to = input.to.filter((end) => !gone.has(readEnd(end).node));
      return to.length === input.to.length ? input : { ...input, to };
    })
    .filter((input) => input.to.length > 0);
  const outputs = subgraph.outputs.filter((output) => !gone.has(readEnd(output.from).node));
  return withInterface(document, id, { inputs, outputs });
}

/** Give a subgraph other inputs and outputs; what its instances held for those that are gone is taken away. */
export function withInterface(
  document: Workflow,
  id: string,
  patch: Partial<Pick<Subgraph, "name" | "inputs" | "outputs">>,
): Workflow {
  const subgraph = document.subgraphs?.[id];
  if (!subgraph) return document;
  const after = patchedWith<Subgraph>(subgraph, patch);
  if (after === subgraph) return document;
  const lostInputs = missing(subgraph.inputs, after.inputs);
  const lostOutputs = missing(subgraph.outputs, after.outputs);
  const edited = withScope(document, id, () => after);
  if (lostInputs.size + lostOutputs.size === 0) return edited;
  const scopes = [undefined, ...Object.keys(edited.subgraphs ?? {})];
  return scopes.reduce<Workflow>(
    (now, scope) => withScope(now, scope, (each) => cleanInstances(each, id, lostInputs, lostOutputs)),
    edited,
  );
}

function missing(before: { name: string }[], after: { name: string }[]): Set<string> {
  const kept = new Set(after.map((each) => each.name));
  return new Set(before.map((each) => each.name).filter((name) => !kept.has(name)));
}

function cleanInstances(scope: Scope, id: string, inputs: Set<string>, outputs: Set<string>): Scope {
  const type = instanceType(id);
  const isInstance = (node: string) => Object.hasOwn(scope.nodes, node) && scope.nodes[node]?.type === type;
  const nodes = mapValues(scope.nodes, (node) => {
    const linked = mapLinks(node, (from) => (isInstance(from.node) && outputs.has(String(from.output)) ? null : from));
    if (node.type !== type || !linked.inputs) return linked;
    return patchedWith(linked, { inputs: withoutKeys(linked.inputs, inputs) });
  });
  return withNodes(scope, nodes);
}

function renameNode(document: Workflow, change: Of<"renameNode">): Workflow {
  const { node, to } = change;
  const scope = change.in === undefined ? document : document.subgraphs?.[change.in];
  if (!scope || !Object.hasOwn(scope.nodes, node) || Object.hasOwn(scope.nodes, to) || to === "") return document;
  const name = (id: string) => (id === node ? to : id);
  const end = (text: string) => (readEnd(text).node === node ? `${to}.${readEnd(text).name}` : text);
  const keys = new Set(wiresInto(node, scope.nodes[node] as WorkflowNode).map((wire) => wire.key));
  const renamed = withScope(document, change.in, (each) => {
    const nodes = mapValues(mapKeys(each.nodes, name), (item) =>
      mapLinks(item, (from) => (from.node === node ? { ...from, node: to } : from)),
    );
    return editLayout({ ...each, nodes }, (layout) =>
      patchedWith(layout, {
        ...(layout.nodes && { nodes: mapKeys(layout.nodes, name) }),
        ...(layout.wires && { wires: mapKeys(layout.wires, (key) => (keys.has(key) ? end(key) : key)) }),
      }),
    );
  });
  if (change.in !== undefined) {
    return withScope(renamed, change.in, (each) => {
      const subgraph = each as Subgraph;
      const inputs = subgraph.inputs.map((input) => ({ ...input, to: input.to.map(end) }));
      return { ...subgraph, inputs, outputs: subgraph.outputs.map((each) => ({ ...each, from: end(each.from) })) };
    });
  }
  const form = renamed.form;
  return form
    ? { ...renamed, form: { ...form, inputs: form.inputs.map(end), outputs: form.outputs.map(name) } }
    : renamed;
}

function setInput(node: WorkflowNode, change: Of<"setInput">): WorkflowNode {
  const { input, value } = change;
  if (value === undefined) {
    return node.inputs ? patchedWith(node, { inputs: withoutKeys(node.inputs, new Set([input])) }) : node;
  }
  return patchedWith(node, { inputs: withKey(node.inputs, input, value) });
}

function editBoxes(scope: Scope, change: Of<"editBoxes">): Scope {
  return editLayout(scope, (layout) => {
    const there = change.nodes.filter((id) => Object.hasOwn(scope.nodes, id));
    const boxes = there.reduce<Record<string, Box>>((now, id) => {
      const box = now[id] ?? { position: [0, 0] };
      return withKey(now, id, patchedWith<Box>(box, change.patch));
    }, layout.nodes ?? {});
    return boxes === layout.nodes || there.length === 0 ? layout : { ...layout, nodes: boxes };
  });
}
