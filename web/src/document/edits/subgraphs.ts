/** Edits of subgraphs: making one of some nodes, taking an instance apart, changing what it shows. */

import type { OutputEnd, SubgraphChange } from "../changes";
import { freeName } from "../ids";
import { linksOf, mapLinks, readEnd, readLink, wiresInto, writeLink } from "../links";
import { mapValues, patchedWith, withKey, withoutKeys } from "../objects";
import { instanceType, scopeOf, subgraphOf, withScope } from "../scope";
import type { Box, InputValue, Layout, Point, Scope, Subgraph, SubgraphInput, Workflow, WorkflowNode } from "../types";
import { editLayout, withoutMarks } from "./layout";
import { withInterface } from "./nodes";

export function editSubgraphs(document: Workflow, change: SubgraphChange): Workflow {
  switch (change.type) {
    case "makeSubgraph":
      return makeSubgraph(document, change);
    case "unpackSubgraph":
      return unpackSubgraph(document, change.in, change.node);
    case "editSubgraph":
      return withInterface(document, change.id, change.patch);
    case "addSubgraphs": {
      const fresh = Object.entries(change.subgraphs).filter(([id]) => !Object.hasOwn(document.subgraphs ?? {}, id));
      if (fresh.length === 0) return document;
      return { ...document, subgraphs: { ...document.subgraphs, ...Object.fromEntries(fresh) } };
    }
    case "removeSubgraph":
      return removeSubgraph(document, change.id);
  }
}

/** Definitions that this one has instances of, itself included, however deep. */
export function usedBy(document: Workflow, id: string): Set<string> {
  const found = new Set<string>();
  const stack = [id];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    for (const node of Object.values(scopeOf(document, next)?.nodes ?? {})) {
      const inner = subgraphOf(node.type);
      if (inner !== undefined) stack.push(inner);
    }
  }
  return found;
}

type Make = Extract<SubgraphChange, { type: "makeSubgraph" }>;

function makeSubgraph(document: Workflow, change: Make): Workflow {
  const scope = scopeOf(document, change.in);
  const chosen = new Set(change.nodes.filter((id) => scope && Object.hasOwn(scope.nodes, id)));
  if (!scope || chosen.size === 0 || Object.hasOwn(document.subgraphs ?? {}, change.id)) return document;
  if (Object.hasOwn(scope.nodes, change.instance) && !chosen.has(change.instance)) return document;
  const { definition, given } = inside(scope, chosen, change.name);
  const named = namedOutputs(document, change.in, scope, chosen);
  definition.outputs = [...named.entries()].map(([from, name]) => ({ name, from }));
  const instance: WorkflowNode = { type: instanceType(change.id), inputs: given };
  const outer = withInstance(scope, chosen, change.instance, instance, named);
  const edited = withScope(document, change.in, () => outer);
  const added = { ...edited, subgraphs: { ...edited.subgraphs, [change.id]: definition } };
  return ledThrough(added, change, chosen, named);
}

/** The nodes by themselves, with an input for each outside output that leads in, and what an instance is given. */
function inside(
  scope: Scope,
  chosen: ReadonlySet<string>,
  name: string,
): { definition: Subgraph; given: Record<string, InputValue> } {
  const inputs: SubgraphInput[] = [];
  const given: Record<string, InputValue> = {};
  const bySource = new Map<string, SubgraphInput>();

  const promote = (from: OutputEnd, node: string, input: string) => {
    const source = JSON.stringify([from.node, from.output]);
    const known = bySource.get(source);
    if (known) {
      known.to.push(`${node}.${input}`);
      return;
    }
    const taken = new Set(inputs.map((each) => each.name));
    const promoted = { name: freeName(input.replace(/\.[0-9]+$/, ""), taken), to: [`${node}.${input}`] };
    bySource.set(source, promoted);
    inputs.push(promoted);
    given[promoted.name] = writeLink(from);
  };

  const nodes: Record<string, WorkflowNode> = {};
  for (const [id, node] of Object.entries(scope.nodes)) {
    if (!chosen.has(id)) continue;
    const kept: [string, InputValue][] = [];
    for (const [input, value] of Object.entries(node.inputs ?? {})) {
      const ends = linksOf(value).map(readLink);
      if (ends.every((end) => chosen.has(end.node))) kept.push([input, value]);
      else if (!Array.isArray(value)) promote(ends[0] as OutputEnd, id, input);
      else {
        // Of an input that grows each place can be fed from outside by itself, written `images.0`, `images.1`, ...
        ends.forEach((end, index) => {
          if (chosen.has(end.node)) kept.push([`${input}.${index}`, writeLink(end)]);
          else promote(end, id, `${input}.${index}`);
        });
      }
    }
    nodes[id] = node.inputs ? { ...node, inputs: Object.fromEntries(kept) } : node;
  }
  const layout: Layout = {};
  const boxes = Object.entries(scope.layout?.nodes ?? {}).filter(([id]) => chosen.has(id));
  if (boxes.length > 0) layout.nodes = Object.fromEntries(boxes);
  const keys = new Set(Object.entries(nodes).flatMap(([id, node]) => wiresInto(id, node).map((wire) => wire.key)));
  const wires = Object.entries(scope.layout?.wires ?? {}).filter(([key]) => keys.has(key));
  if (wires.length > 0) layout.wires = Object.fromEntries(wires);
  return { definition: { name, nodes, layout, inputs, outputs: [] }, given };
}

/** Names for the outputs of chosen nodes that something outside uses, by `node.output`. */
function namedOutputs(
  document: Workflow,
  id: string | undefined,
  scope: Scope,
  chosen: ReadonlySet<string>,
): Map<string, string> {
  const names = new Map<string, string>();
  const name = (end: OutputEnd) => {
    const key = `${end.node}.${end.output}`;
    if (names.has(key)) return;
    const wish = typeof end.output === "number" ? `output_${end.output}` : end.output;
    names.set(key, freeName(wish, new Set(names.values())));
  };
  for (const [node, each] of Object.entries(scope.nodes)) {
    if (chosen.has(node)) continue;
    for (const wire of wiresInto(node, each)) if (chosen.has(wire.from.node)) name(wire.from);
  }
  const outputs = id === undefined ? [] : (document.subgraphs?.[id]?.outputs ?? []);
  for (const output of outputs) {
    const end = readLink({ from: output.from });
    if (chosen.has(end.node)) name(end);
  }
  return names;
}

/** The scope with the instance where the first of the chosen nodes stood. */
function withInstance(
  scope: Scope,
  chosen: ReadonlySet<string>,
  id: string,
  instance: WorkflowNode,
  names: ReadonlyMap<string, string>,
): Scope {
  const nodes: Record<string, WorkflowNode> = {};
  let placed = false;
  for (const [each, node] of Object.entries(scope.nodes)) {
    if (!chosen.has(each)) {
      nodes[each] = mapLinks(node, (from) => {
        const output = chosen.has(from.node) ? names.get(`${from.node}.${from.output}`) : undefined;
        return output === undefined ? from : { node: id, output };
      });
    } else if (!placed) {
      placed = true;
      nodes[id] = instance;
    }
  }
  const keys = new Set(
    [...chosen].flatMap((each) => wiresInto(each, scope.nodes[each] as WorkflowNode).map((w) => w.key)),
  );
  return editLayout({ ...scope, nodes }, (layout) => {
    const left = withoutMarks(layout, chosen, keys);
    return { ...left, nodes: { ...left.nodes, [id]: { position: middle(scope.layout, chosen) } } };
  });
}

/** Form entries and promoted inputs that spoke of the chosen nodes now speak of the instance. */
function ledThrough(
  document: Workflow,
  change: Make,
  chosen: ReadonlySet<string>,
  names: ReadonlyMap<string, string>,
): Workflow {
  let now = document;
  // What the outside already set by name must be settable on the instance, so it is promoted, too.
  const promote = (text: string): string => {
    const definition = now.subgraphs?.[change.id];
    const { node, name } = readEnd(text);
    if (!definition || !chosen.has(node)) return text;
    const known = definition.inputs.find((input) => input.to.includes(text));
    if (known) return `${change.instance}.${known.name}`;
    const free = freeName(name, new Set(definition.inputs.map((input) => input.name)));
    const inputs = [...definition.inputs, { name: free, to: [text] }];
    now = withInterface(now, change.id, { inputs });
    return `${change.instance}.${free}`;
  };
  if (change.in === undefined) {
    const form = document.form;
    if (!form) return now;
    const inputs = form.inputs.map(promote);
    const outputs = form.outputs.map((id) => (chosen.has(id) ? change.instance : id));
    return { ...now, form: { ...form, inputs, outputs: [...new Set(outputs)] } };
  }
  const around = document.subgraphs?.[change.in];
  if (!around) return now;
  const inputs = around.inputs.map((input) => ({ ...input, to: input.to.map(promote) }));
  const outputs = around.outputs.map((output) => {
    const name = names.get(output.from);
    return name === undefined ? output : { ...output, from: `${change.instance}.${name}` };
  });
  return withScope(now, change.in, (scope) => ({ ...(scope as Subgraph), inputs, outputs }));
}

function middle(layout: Layout | null | undefined, ids: ReadonlySet<string>): Point {
  const boxes = [...ids].flatMap((id) => layout?.nodes?.[id] ?? []);
  if (boxes.length === 0) return [0, 0];
  const mean = (axis: 0 | 1) => {
    const low = Math.min(...boxes.map((box) => box.position[axis]));
    const high = Math.max(...boxes.map((box) => box.position[axis]));
    return Math.round((low + high) / 2);
  };
  return [mean(0), mean(1)];
}

function unpackSubgraph(document: Workflow, id: string | undefined, instance: string): Workflow {
  const scope = scopeOf(document, id);
  const node = scope && Object.hasOwn(scope.nodes, instance) ? scope.nodes[instance] : undefined;
  const key = node && subgraphOf(node.type);
  const definition = key === undefined ? undefined : document.subgraphs?.[key];
  if (!scope || !node || !definition) return document;
  const ids = newIds(scope, instance, definition);
  const inner = innerNodes(node, definition, ids);
  const nodes: Record<string, WorkflowNode> = {};
  for (const [each, other] of Object.entries(scope.nodes)) {
    if (each === instance) Object.assign(nodes, inner);
    else nodes[each] = mapLinks(other, (from) => (from.node === instance ? outputEnd(definition, ids, from) : from));
  }
  const keys = new Set(wiresInto(instance, node).map((wire) => wire.key));
  const unpacked = withScope(document, id, (each) =>
    editLayout({ ...each, nodes }, (layout) => {
      const at = layout.nodes?.[instance]?.position ?? [0, 0];
      return joined(withoutMarks(layout, new Set([instance]), keys), definition, ids, at);
    }),
  );
  return ledInto(unpacked, id, instance, definition, ids);
}

function newIds(scope: Scope, instance: string, definition: Subgraph): Map<string, string> {
  const taken = new Set(Object.keys(scope.nodes).filter((id) => id !== instance));
  const ids = new Map<string, string>();
  for (const id of Object.keys(definition.nodes)) {
    const fresh = freeName(id, taken);
    taken.add(fresh);
    ids.set(id, fresh);
  }
  return ids;
}

function innerNodes(
  instance: WorkflowNode,
  definition: Subgraph,
  ids: ReadonlyMap<string, string>,
): Record<string, WorkflowNode> {
  const inner = new Map(
    Object.entries(definition.nodes).map(([id, node]) => [
      id,
      mapLinks(node, (from) => ({ ...from, node: ids.get(from.node) ?? from.node })),
    ]),
  );
  const give = (target: string, value: InputValue) => {
    const { node, name } = readEnd(target);
    const each = inner.get(node);
    if (each) inner.set(node, { ...each, inputs: withKey(each.inputs, name, value) });
  };
  for (const [name, value] of Object.entries(instance.inputs ?? {})) {
    const promoted = definition.inputs.find((input) => input.name === name);
    if (promoted) for (const target of promoted.to) give(target, value);
    else give(name, value);
  }
  const mode = instance.mode ?? "run";
  return Object.fromEntries(
    [...inner].map(([id, node]) => [ids.get(id) as string, mode === "run" ? node : { ...node, mode }]),
  );
}

/** Where a link that led from an instance's output starts once the instance is taken apart. */
function outputEnd(definition: Subgraph, ids: ReadonlyMap<string, string>, from: OutputEnd): OutputEnd | null {
  const output =
    typeof from.output === "number"
      ? definition.outputs[from.output]
      : definition.outputs.find((each) => each.name === from.output);
  if (!output) return null;
  const end = readLink({ from: output.from });
  const node = ids.get(end.node);
  return node === undefined ? null : { ...end, node };
}

/** The layout with the definition's laid into it, its left upper corner at a point. */
function joined(layout: Layout, definition: Subgraph, ids: ReadonlyMap<string, string>, at: Point): Layout {
  const inner = definition.layout ?? {};
  const boxes = Object.values(inner.nodes ?? {});
  const corner = (axis: 0 | 1) => (boxes.length === 0 ? 0 : Math.min(...boxes.map((box) => box.position[axis])));
  const by: Point = [at[0] - corner(0), at[1] - corner(1)];
  const shift = ([x, y]: Point): Point => [x + by[0], y + by[1]];
  const moved = <T extends { position: Point }>(item: T): T => ({ ...item, position: shift(item.position) });
  const fresh: Record<string, Box> = {};
  for (const [id, to] of ids) {
    const box = inner.nodes?.[id];
    fresh[to] = box ? moved(box) : { position: at };
  }
  const wires = Object.entries(inner.wires ?? {}).map(([key, points]) => {
    const { node, name } = readEnd(key);
    return [`${ids.get(node) ?? node}.${name}`, points.map(shift)] as const;
  });
  return patchedWith(layout, {
    nodes: { ...layout.nodes, ...fresh },
    ...(wires.length > 0 && { wires: { ...layout.wires, ...Object.fromEntries(wires) } }),
    ...(inner.groups?.length && { groups: [...(layout.groups ?? []), ...inner.groups.map(moved)] }),
    ...(inner.notes?.length && { notes: [...(layout.notes ?? []), ...inner.notes.map(moved)] }),
  });
}

/** Form entries and promoted inputs that spoke of the instance now speak of the nodes it held. */
function ledInto(
  document: Workflow,
  id: string | undefined,
  instance: string,
  definition: Subgraph,
  ids: ReadonlyMap<string, string>,
): Workflow {
  const targets = (text: string): string[] => {
    const { node, name } = readEnd(text);
    if (node !== instance) return [text];
    const to = definition.inputs.find((input) => input.name === name)?.to ?? [name];
    return to.map((target) => `${ids.get(readEnd(target).node) ?? ""}.${readEnd(target).name}`);
  };
  if (id === undefined) {
    const form = document.form;
    if (!form) return document;
    const last = definition.outputs.flatMap((output) => ids.get(readLink({ from: output.from }).node) ?? []);
    const outputs = form.outputs.flatMap((each) => (each === instance ? last : [each]));
    const inputs = form.inputs.flatMap((entry) => targets(entry).slice(0, 1));
    return { ...document, form: { ...form, inputs, outputs: [...new Set(outputs)] } };
  }
  return withScope(document, id, (scope) => {
    const subgraph = scope as Subgraph;
    const outputs = subgraph.outputs.flatMap((output) => {
      const from = readLink({ from: output.from });
      if (from.node !== instance) return [output];
      const end = outputEnd(definition, ids, from);
      return end ? [{ ...output, from: `${end.node}.${end.output}` }] : [];
    });
    return { ...subgraph, inputs: subgraph.inputs.map((each) => ({ ...each, to: each.to.flatMap(targets) })), outputs };
  });
}

/** A definition goes only when nothing is an instance of it any longer. */
function removeSubgraph(document: Workflow, id: string): Workflow {
  const subgraphs = document.subgraphs;
  if (!subgraphs || !Object.hasOwn(subgraphs, id)) return document;
  const type = instanceType(id);
  const scopes: Scope[] = [document, ...Object.values(subgraphs)];
  if (scopes.some((scope) => Object.values(scope.nodes).some((node) => node.type === type))) return document;
  return {
    ...document,
    subgraphs: withoutKeys(
      mapValues(subgraphs, (each) => each),
      new Set([id]),
    ),
  };
}
