/** What may be linked to what: the same rules as `engine/graph/links.py`. */

import type { InputEnd, OutputEnd } from "./changes";
import { linksOf, readEnd, readLink, wiresInto } from "./links";
import { anyInput, type Catalogue, type InputSchema, type NodeSchema, type OutputSchema } from "./schema";
import { subgraphOf } from "./scope";
import type { Scope, Subgraph, Workflow, WorkflowNode } from "./types";

/** Whether an output's type may be linked to an input's: equal, `*` on either side, or unions that overlap. */
export function typesFit(source: string, wanted: string): boolean {
  if (source === wanted || source === "*" || wanted === "*") return true;
  if (!source.includes(",") && !wanted.includes(",")) return false;
  const sources = typeNames(source);
  const all = typeNames(wanted);
  return sources.includes("*") || all.includes("*") || sources.some((name) => all.includes(name));
}

export function typeNames(union: string): string[] {
  return union.split(",").map((name) => name.trim());
}

/** The catalogue with the document's own subgraphs as node types, `subgraph:<id>`. */
export function catalogueOf(document: Workflow, catalogue: Catalogue): Catalogue {
  const subgraphs = document.subgraphs;
  if (!subgraphs || Object.keys(subgraphs).length === 0) return catalogue;
  const known = drawnUp.get(subgraphs);
  if (known?.catalogue === catalogue) return known.all;
  const all = new Map(catalogue);
  const draw = (id: string, around: readonly string[]): NodeSchema | undefined => {
    const name = `subgraph:${id}`;
    const done = all.get(name);
    const definition = subgraphs[id];
    if (done || !definition || around.includes(id)) return done;
    for (const node of Object.values(definition.nodes)) {
      const inner = subgraphOf(node.type);
      if (inner !== undefined) draw(inner, [...around, id]);
    }
    const schema = instanceSchema(name, definition, all);
    all.set(name, schema);
    return schema;
  };
  for (const id of Object.keys(subgraphs)) draw(id, []);
  drawnUp.set(subgraphs, { catalogue, all });
  return all;
}

const drawnUp = new WeakMap<object, { catalogue: Catalogue; all: Catalogue }>();

function instanceSchema(name: string, definition: Subgraph, catalogue: Catalogue): NodeSchema {
  const inputs = definition.inputs.map((promoted): InputSchema => {
    const { node, name: input } = readEnd(promoted.to[0] ?? "");
    const inner = definition.nodes[node];
    const schema = inner && inputSchema(catalogue.get(inner.type), input);
    if (!schema) return anyInput(promoted.name);
    const own = inner.inputs && Object.hasOwn(inner.inputs, input);
    const grows = schema.variadic && input === schema.name;
    const value = inner.inputs?.[input];
    const preset = own && value !== undefined && linksOf(value).length === 0 ? value : undefined;
    return {
      ...schema,
      name: promoted.name,
      variadic: grows,
      required: schema.required && !own,
      ...(preset !== undefined && (preset === null || typeof preset !== "object") && { default: preset }),
    };
  });
  const outputs = definition.outputs.map((promoted): OutputSchema => {
    const end = readLink({ from: promoted.from });
    const inner = definition.nodes[end.node];
    const schema = inner && outputSchema(catalogue.get(inner.type), end.output);
    return schema ? { ...schema, name: promoted.name } : { name: promoted.name, type: "*", is_list: false, help: "" };
  });
  return { ...INSTANCE, name, title: definition.name ?? name, inputs, outputs };
}

const INSTANCE: Omit<NodeSchema, "name" | "title" | "inputs" | "outputs"> = {
  version: 1,
  category: "subgraph",
  help: "",
  output: false,
  lane: "cpu",
  aliases: [],
  fingerprinted: false,
  experimental: false,
  package: "workflow",
  code: "",
};

/** An input by its name, or by a place (`images.1`) in one that grows. */
export function inputSchema(schema: NodeSchema | undefined, name: string): InputSchema | undefined {
  const exact = schema?.inputs.find((input) => input.name === name);
  if (exact) return exact;
  const stem = name.match(/^(.*)\.[0-9]+$/)?.[1];
  return schema?.inputs.find((input) => input.variadic && input.name === stem);
}

export function outputSchema(schema: NodeSchema | undefined, output: string | number): OutputSchema | undefined {
  return typeof output === "number" ? schema?.outputs[output] : schema?.outputs.find((each) => each.name === output);
}

/** Whether a wire between two nodes would close a loop. */
export function closesLoop(scope: Scope, from: string, to: string): boolean {
  const seen = new Set<string>();
  const stack = [from];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (id === to) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    const node = scope.nodes[id];
    if (node) for (const wire of wiresInto(id, node)) stack.push(wire.from.node);
  }
  return false;
}

/** Everything that the node feeds, itself included: inputs of these would close a loop if they fed it. */
export function downstream(scope: Scope, from: string): Set<string> {
  const feeds = new Map<string, string[]>();
  for (const [id, node] of Object.entries(scope.nodes)) {
    for (const wire of wiresInto(id, node)) feeds.set(wire.from.node, [...(feeds.get(wire.from.node) ?? []), id]);
  }
  return reach(from, (id) => feeds.get(id) ?? []);
}

/** Everything that feeds the node, itself included. */
export function upstream(scope: Scope, to: string): Set<string> {
  return reach(to, (id) => {
    const node = scope.nodes[id];
    return node ? wiresInto(id, node).map((wire) => wire.from.node) : [];
  });
}

function reach(start: string, next: (id: string) => string[]): Set<string> {
  const seen = new Set<string>();
  const stack = [start];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    stack.push(...next(id));
  }
  return seen;
}

/** Whether a wire may be drawn: the types fit and no loop closes. */
export function mayConnect(scope: Scope, catalogue: Catalogue, from: OutputEnd, to: InputEnd): boolean {
  const source = outputSchema(schemaAt(scope, catalogue, from.node), from.output);
  const wanted = inputSchema(schemaAt(scope, catalogue, to.node), to.input);
  return !!source && !!wanted && typesFit(source.type, wanted.type) && !closesLoop(scope, from.node, to.node);
}

/** The first output of one node that fits an input of the other, and which: for "connect these two". */
export function firstFit(
  source: NodeSchema,
  target: NodeSchema,
  free: (input: InputSchema) => boolean,
): { output: string; input: InputSchema } | undefined {
  for (const output of source.outputs) {
    const fitting = target.inputs.filter((input) => typesFit(output.type, input.type) && free(input));
    // Ports that must be linked come first; a widget is rarely what a wire is meant for.
    const input = fitting.find((each) => each.widget === null) ?? fitting[0];
    if (input) return { output: output.name, input };
  }
  return undefined;
}

export function schemaAt(scope: Scope, catalogue: Catalogue, node: string): NodeSchema | undefined {
  const found: WorkflowNode | undefined = Object.hasOwn(scope.nodes, node) ? scope.nodes[node] : undefined;
  return found && catalogue.get(found.type);
}

/** How a link into an input is written: to which input, and whether its value is a list of links. */
export function growthOf(node: WorkflowNode, schema: InputSchema, index?: number): { to: InputPlace; grows: boolean } {
  if (!schema.variadic) return { to: { input: schema.name }, grows: false };
  const dotted = Object.keys(node.inputs ?? {}).filter((key) => key.match(/^(.*)\.[0-9]+$/)?.[1] === schema.name);
  if (dotted.length === 0)
    return { to: index === undefined ? { input: schema.name } : { input: schema.name, index }, grows: true };
  const next = Math.max(...dotted.map((key) => Number(key.slice(schema.name.length + 1)))) + 1;
  return { to: { input: `${schema.name}.${index ?? next}` }, grows: false };
}

interface InputPlace {
  input: string;
  index?: number;
}
