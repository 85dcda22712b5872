/** What every widget takes. */

import type { InputSchema, JsonValue, Problem, SeedMode } from "../document";

export interface WidgetProps {
  schema: InputSchema;
  /** Undefined: the input is not set, and its default holds. */
  value: JsonValue | undefined;
  /** `final`: false while a drag or typing goes on, so that all of it can be undone at once. */
  onChange(value: JsonValue, final?: boolean): void;
  disabled?: boolean;
  problem?: Problem;
  nodeId?: string;
  /** One row with the label inside, for nodes on the canvas; otherwise the label stands above, for forms. */
  compact?: boolean;
  seedMode?: SeedMode;
  onSeedMode?(mode: SeedMode): void;
  /** Instead of the input's name. */
  label?: string;
  /** Instead of the schema's help. */
  help?: string;
  /**
   * Of a picture: whether a mask painted on it goes anywhere, for people who do not see where. Undefined: they see.
   */
  masked?: boolean;
  /** The value came with the workflow, to try it with. */
  example?: boolean;
  /** What another input of the node is set to; undefined when it is linked. For a drawing's size, say. */
  sibling?(name: string): JsonValue | undefined;
  /** The file of the checkpoint whose model, text encoder or the like reaches the node; undefined when none does. */
  checkpoint?(): string | undefined;
}

/** The value to show: what is set, or else the default. */
export function shownValue({ value, schema }: Pick<WidgetProps, "value" | "schema">): JsonValue {
  return value === undefined ? schema.default : value;
}

/** An input's name as one reads it: `sampler_name` is "sampler name". */
export function readable(name: string): string {
  return name.replaceAll("_", " ");
}

/** A docstring's words for people who do not write code: `negative` in backticks is “negative”. */
export function plainWords(help: string): string {
  return help.replace(/`([^`\n]+)`/g, (_, words: string) => `“${readable(words)}”`);
}
