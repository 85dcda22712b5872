/** What an input is set to, whoever asks. */

import { linksOf, literalOf, readLink } from "./links";
import type { Catalogue, NodeSchema } from "./schema";
import type { JsonValue, Scope, WorkflowNode } from "./types";

/** The literal of an input, or its default where nothing is set; undefined when a wire decides, or there is no such input. */
export function settingOf(node: WorkflowNode | undefined, schema: NodeSchema | undefined, name: string) {
  const value = node?.inputs?.[name];
  if (linksOf(value).length > 0) return undefined;
  const set: JsonValue | undefined = literalOf(value);
  return set === undefined ? schema?.inputs.find((input) => input.name === name)?.default : set;
}

/** The nearest checkpoint upstream of a node: the name of its file. */
export function checkpointOf(scope: Scope, catalogue: Catalogue, id: string): string | undefined {
  const seen = new Set([id]);
  // Grows while it is walked: the nearest nodes come first.
  for (const each of seen) {
    const node = Object.hasOwn(scope.nodes, each) ? scope.nodes[each] : undefined;
    const schema = catalogue.get(node?.type ?? "");
    const file = schema?.inputs.find((input) => input.folder === "checkpoints");
    const name = file && settingOf(node, schema, file.name);
    if (typeof name === "string" && name !== "") return name;
    for (const value of Object.values(node?.inputs ?? {}))
      for (const link of linksOf(value)) seen.add(readLink(link).node);
  }
  return undefined;
}
