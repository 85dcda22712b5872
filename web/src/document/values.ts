/** What an input is set to, whoever asks. */

import { linksOf, literalOf } from "./links";
import type { NodeSchema } from "./schema";
import type { JsonValue, WorkflowNode } from "./types";

/** The literal of an input, or its default where nothing is set; undefined when a wire decides, or there is no such input. */
export function settingOf(node: WorkflowNode | undefined, schema: NodeSchema | undefined, name: string) {
  const value = node?.inputs?.[name];
  if (linksOf(value).length > 0) return undefined;
  const set: JsonValue | undefined = literalOf(value);
  return set === undefined ? schema?.inputs.find((input) => input.name === name)?.default : set;
}
