/** Finding and replacing the inside of a subgraph, or the top level. */

import type { Scope, Workflow } from "./types";

const INSTANCE = "subgraph:";

/** The id of the subgraph that a node of this type is an instance of. */
export function subgraphOf(type: string): string | undefined {
  return type.startsWith(INSTANCE) ? type.slice(INSTANCE.length) : undefined;
}

export function instanceType(subgraph: string): string {
  return INSTANCE + subgraph;
}

/** The top level (no id), or the inside of a subgraph; undefined when there is no such subgraph. */
export function scopeOf(document: Workflow, id?: string): Scope | undefined {
  if (id === undefined) return document;
  return document.subgraphs && Object.hasOwn(document.subgraphs, id) ? document.subgraphs[id] : undefined;
}

/** The document with one scope edited; the same document when there is no such scope or the edit changed nothing. */
export function withScope(document: Workflow, id: string | undefined, edit: (scope: Scope) => Scope): Workflow {
  const scope = scopeOf(document, id);
  if (!scope) return document;
  const edited = edit(scope);
  if (edited === scope) return document;
  if (id === undefined) return edited as Workflow;
  return {
    ...document,
    subgraphs: { ...document.subgraphs, [id]: edited as NonNullable<Workflow["subgraphs"]>[string] },
  };
}
