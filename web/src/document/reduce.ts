import type { Change } from "./changes";
import { diff, patched } from "./patch";
import type { Workflow } from "./types";

/** Carry out a change. The inverse brings back the document before it, byte for byte. */
export function apply(document: Workflow, change: Change): { document: Workflow; inverse: Change } {
  const after = carryOut(document, change);
  return { document: after, inverse: { type: "patch", patch: diff(after, document) } };
}

function carryOut(document: Workflow, change: Change): Workflow {
  switch (change.type) {
    case "replace":
      return change.document;
    case "patch":
      return patched(document, change.patch) as Workflow;
    default:
      return document;
  }
}
