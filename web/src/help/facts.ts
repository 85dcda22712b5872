/** What a schema says about an input, in a few words: its range, its choices, its default. Pure. */

import type { InputSchema } from "../document";

const MOST_CHOICES = 6;

export function factsOf(input: InputSchema): string[] {
  return [
    rangeOf(input),
    input.multiple_of !== null && `multiples of ${input.multiple_of}`,
    input.options !== null && choicesOf(input.options),
    input.folder !== null && `a file of ${input.folder}`,
    input.pattern !== null && `text like ${input.pattern}`,
    input.default !== null && input.default !== "" && `default ${written(input.default)}`,
    input.variadic ? "any number of links" : !input.required && input.default === null && "optional",
    input.is_list && "takes the whole list",
    input.lazy && "computed only when asked for",
  ].filter((fact) => fact !== false && fact !== null);
}

function rangeOf({ minimum, maximum }: InputSchema): string | null {
  if (minimum !== null && maximum !== null) return `${minimum} to ${maximum}`;
  if (minimum !== null) return `at least ${minimum}`;
  return maximum === null ? null : `at most ${maximum}`;
}

function choicesOf(options: readonly string[]): string {
  const shown = options.slice(0, MOST_CHOICES).join(", ");
  return options.length > MOST_CHOICES ? `${shown} and ${options.length - MOST_CHOICES} more` : shown;
}

function written(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

/** A docstring as Markdown: papers that it names become links. */
export function linked(help: string): string {
  return help.replace(/\barXiv:(\d{4}\.\d{4,5}(?:v\d+)?)/g, "[arXiv:$1](https://arxiv.org/abs/$1)");
}
