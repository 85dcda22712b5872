/** Carrying out changes. */

import type { Change } from "./changes";
import { editCanvas } from "./edits/layout";
import { editNodes } from "./edits/nodes";
import { editSubgraphs } from "./edits/subgraphs";
import { editWires } from "./edits/wires";
import { patchedWith } from "./objects";
import { diff, patched } from "./patch";
import type { Workflow } from "./types";

/**
 * Carry out a change. The inverse brings back the document before it, byte for byte.
 *
 * A change that speaks of what is not there (a node that someone else removed) changes nothing: the same document
 * comes back.
 */
export function apply(document: Workflow, change: Change): { document: Workflow; inverse: Change } {
  const after = carryOut(document, change);
  return { document: after, inverse: { type: "patch", patch: diff(after, document) } };
}

export function carryOut(document: Workflow, change: Change): Workflow {
  switch (change.type) {
    case "addNodes":
    case "removeNodes":
    case "renameNode":
    case "setInput":
    case "setTitle":
    case "setMode":
    case "freeze":
    case "editBoxes":
      return editNodes(document, change);
    case "connect":
    case "disconnect":
    case "setWirePoints":
      return editWires(document, change);
    case "move":
    case "resizeNode":
    case "addGroup":
    case "editGroup":
    case "addNote":
    case "editNote":
    case "removeMarks":
      return editCanvas(document, change);
    case "makeSubgraph":
    case "unpackSubgraph":
    case "editSubgraph":
    case "addSubgraphs":
    case "removeSubgraph":
      return editSubgraphs(document, change);
    case "setForm":
      return patchedWith(document, { form: change.form ?? undefined });
    case "setProperties":
      return patchedWith(document, change.patch);
    case "replace":
      return change.document;
    case "patch":
      return patched(document, change.patch) as Workflow;
  }
}
