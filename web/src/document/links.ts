/** Reading and writing the links that stand in inputs' values. */

import type { InputEnd, OutputEnd } from "./changes";
import type { InputValue, JsonValue, Link, Scope, WorkflowNode } from "./types";

const NODE_ID = /^[A-Za-z0-9_:-]+$/;

export function isLink(value: InputValue | undefined): value is Link {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "from" in value;
}

/** The links in an input's value; a literal has none. */
export function linksOf(value: InputValue | undefined): Link[] {
  return isLink(value) ? [value] : Array.isArray(value) ? value : [];
}

/** The literal in an input's value, unwrapped; undefined when it is linked or not there. */
export function literalOf(value: InputValue | undefined): JsonValue | undefined {
  if (value === undefined || isLink(value) || Array.isArray(value)) return undefined;
  return typeof value === "object" && value !== null ? (value as { value: JsonValue }).value : value;
}

/** A literal as it stands in a document: objects and lists are wrapped, so that they are never taken for links. */
export function writeLiteral(value: JsonValue): InputValue {
  return typeof value === "object" && value !== null ? { value } : value;
}

/** Where a link starts; an output written in digits is an index. */
export function readLink(link: Link): OutputEnd {
  if (Array.isArray(link.from)) return { node: link.from[0], output: link.from[1] };
  const dot = link.from.indexOf(".");
  if (dot < 0) return { node: link.from, output: "" };
  return { node: link.from.slice(0, dot), output: readOutput(link.from.slice(dot + 1)) };
}

export function writeLink(end: OutputEnd): Link {
  return { from: NODE_ID.test(end.node) ? `${end.node}.${end.output}` : [end.node, end.output] };
}

function readOutput(text: string): string | number {
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : text;
}

/** `node.input` of a form entry or a promoted input: the input is what follows the first dot. */
export function readEnd(text: string): { node: string; name: string } {
  const dot = text.indexOf(".");
  return dot < 0 ? { node: text, name: "" } : { node: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** The name of the wire that ends at an input, in `layout.wires` and in selections. */
export function wireKey(to: InputEnd): string {
  return to.index === undefined ? `${to.node}.${to.input}` : `${to.node}.${to.input}.${to.index}`;
}

export interface Wire {
  key: string;
  from: OutputEnd;
  to: InputEnd;
}

/** The wires that end at one node. */
export function wiresInto(id: string, node: WorkflowNode): Wire[] {
  return Object.entries(node.inputs ?? {}).flatMap(([input, value]) => {
    const grows = Array.isArray(value);
    return linksOf(value).map((link, index) => {
      const to: InputEnd = grows ? { node: id, input, index } : { node: id, input };
      return { key: wireKey(to), from: readLink(link), to };
    });
  });
}

/** All wires of a scope. */
export function wiresOf(scope: Scope): Wire[] {
  return Object.entries(scope.nodes).flatMap(([id, node]) => wiresInto(id, node));
}

/** The node with each of its links rewritten; a link that becomes null is taken away. */
export function mapLinks(node: WorkflowNode, rewrite: (from: OutputEnd) => OutputEnd | null): WorkflowNode {
  if (!node.inputs) return node;
  let changed = false;
  const inputs: [string, InputValue][] = [];
  for (const [name, value] of Object.entries(node.inputs)) {
    const links = linksOf(value);
    const ends = links.map((link) => {
      const before = readLink(link);
      const after = rewrite(before);
      return { link, after, same: after === before };
    });
    if (ends.every((end) => end.same)) {
      inputs.push([name, value]);
      continue;
    }
    changed = true;
    const kept = ends.flatMap((end) => (end.same ? [end.link] : end.after ? [writeLink(end.after)] : []));
    if (Array.isArray(value)) {
      if (kept.length > 0) inputs.push([name, kept]);
    } else if (kept[0]) inputs.push([name, kept[0]]);
  }
  return changed ? { ...node, inputs: Object.fromEntries(inputs) } : node;
}
