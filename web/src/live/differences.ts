/** What differs between two versions of a workflow, in words. Pure. */

import { writeJson } from "../api/json";
import type { InputValue, Workflow, WorkflowNode } from "../document";

export interface Difference {
  kind: "added" | "removed" | "changed";
  /** What it is about: a node's title, or a part of the document. */
  what: string;
  /** For a change: before and after. */
  from?: string;
  to?: string;
}

/** What was done to `before` to make `after`. Moved nodes count as one difference together. */
export function differences(before: Workflow, after: Workflow): Difference[] {
  const found: Difference[] = [];
  for (const [id, node] of Object.entries(after.nodes)) {
    const old = before.nodes[id];
    if (!old) found.push({ kind: "added", what: nameOf(id, node) });
    else found.push(...inNode(id, old, node));
  }
  for (const [id, node] of Object.entries(before.nodes)) {
    if (!after.nodes[id]) found.push({ kind: "removed", what: nameOf(id, node) });
  }
  if (!same(before.subgraphs, after.subgraphs)) found.push({ kind: "changed", what: "Subgraphs" });
  if (!same(before.form, after.form)) found.push({ kind: "changed", what: "Form" });
  if (!same(before.layout, after.layout)) found.push({ kind: "changed", what: "Arrangement" });
  if ((before.name ?? "") !== (after.name ?? "")) {
    found.push({ kind: "changed", what: "Name", from: before.name ?? "", to: after.name ?? "" });
  }
  return found;
}

function inNode(id: string, old: WorkflowNode, node: WorkflowNode): Difference[] {
  const what = nameOf(id, node);
  const found: Difference[] = [];
  const part = (name: string, from: string, to: string) => {
    if (from !== to) found.push({ kind: "changed", what: `${what} › ${name}`, from, to });
  };
  part("type", old.type, node.type);
  part("title", old.title ?? "", node.title ?? "");
  part("mode", old.mode ?? "run", node.mode ?? "run");
  const names = new Set([...Object.keys(old.inputs ?? {}), ...Object.keys(node.inputs ?? {})]);
  for (const name of names) part(name, words(old.inputs?.[name]), words(node.inputs?.[name]));
  return found;
}

function nameOf(id: string, node: WorkflowNode): string {
  return node.title ? `${node.title} (${id})` : `${node.type} (${id})`;
}

function words(value: InputValue | undefined): string {
  if (value === undefined) return "its default";
  const text = typeof value === "string" ? value : writeJson(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function same(one: unknown, other: unknown): boolean {
  return one === other || writeJson(one ?? null) === writeJson(other ?? null);
}
