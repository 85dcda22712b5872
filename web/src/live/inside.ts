/** Finding nodes of a document by the ids that runs use: `instance:inner` for a node inside a subgraph. */

import { type Scope, scopeOf, subgraphOf, type Workflow, type WorkflowNode } from "../document";

/** Where a node is: the instances to enter, outermost first, and the node's own id in the innermost scope. */
export interface Place {
  path: { node: string; subgraph: string }[];
  node: string;
  found: WorkflowNode;
}

/** Ids may hold colons themselves (ComfyUI's do), so a longer id goes before a step inside. */
export function placeOf(document: Workflow, id: string): Place | undefined {
  return search(document, document, id);
}

export function typeIn(document: Workflow, id: string): string | undefined {
  return placeOf(document, id)?.found.type;
}

function search(document: Workflow, scope: Scope, id: string): Place | undefined {
  const own = Object.hasOwn(scope.nodes, id) ? scope.nodes[id] : undefined;
  if (own) return { path: [], node: id, found: own };
  for (let at = id.indexOf(":"); at >= 0; at = id.indexOf(":", at + 1)) {
    const node = id.slice(0, at);
    const subgraph = Object.hasOwn(scope.nodes, node) ? subgraphOf(scope.nodes[node]?.type ?? "") : undefined;
    const inner = subgraph === undefined ? undefined : scopeOf(document, subgraph);
    if (subgraph === undefined || !inner) continue;
    const place = search(document, inner, id.slice(at + 1));
    if (place) return { ...place, path: [{ node, subgraph }, ...place.path] };
  }
  return undefined;
}
