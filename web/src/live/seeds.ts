/** Choosing the seeds of the next run, as each seed's mode says. Pure but for the dice. */

import { type Change, type InputValue, type Scope, subgraphOf, type Workflow } from "../document";

/** Seeds that are drawn stay below this, so that any program reads them exactly. */
const DRAWN_BELOW = 2 ** 48;
const LARGEST = 2n ** 64n - 1n;

/** The edits that give every seed set to `random` or `increment` its next value. */
export function nextSeeds(document: Workflow, random: () => number = Math.random): Change[] {
  const scopes = [...usedSubgraphs(document)];
  return [
    ...changesIn(document, undefined, random),
    ...scopes.flatMap((id) => {
      const scope = document.subgraphs?.[id];
      return scope ? changesIn(scope, id, random) : [];
    }),
  ];
}

function changesIn(scope: Scope, id: string | undefined, random: () => number): Change[] {
  return Object.entries(scope.layout?.nodes ?? {}).flatMap(([node, box]) =>
    Object.entries(box.seeds ?? {}).flatMap(([input, mode]): Change[] => {
      const found = scope.nodes[node];
      const value = found?.inputs?.[input];
      if (!found || mode === "fixed" || (typeof value === "object" && value !== null)) return [];
      const next = mode === "random" ? Math.floor(random() * DRAWN_BELOW) : plusOne(value);
      return [{ type: "setInput", node, input, value: next, ...(id !== undefined && { in: id }) }];
    }),
  );
}

/** After the largest seed comes 0. */
function plusOne(value: InputValue | undefined): number | bigint {
  const now = typeof value === "number" || typeof value === "bigint" ? BigInt(value) : 0n;
  const next = now >= LARGEST ? 0n : now + 1n;
  return next <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(next) : next;
}

function usedSubgraphs(document: Workflow): Set<string> {
  const used = new Set<string>();
  const visit = (scope: Scope) => {
    for (const node of Object.values(scope.nodes)) {
      const id = subgraphOf(node.type);
      if (id === undefined || used.has(id)) continue;
      used.add(id);
      const inner = document.subgraphs?.[id];
      if (inner) visit(inner);
    }
  };
  visit(document);
  return used;
}
