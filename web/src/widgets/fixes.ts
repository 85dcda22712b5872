/** The values that a problem's fix names: "use 512 or 520", "use 'euler' or 'ddim'", "write 3", "write true or false". */

import type { InputSchema, JsonValue, Problem } from "../document";

const ADVICE = /^(?:use|write) (.+)$/s;
const QUOTED = /'([^']+)'/g;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** What to offer as buttons, at most three; nothing when the fix is advice without a value. */
export function namedValues(problem: Problem, schema: InputSchema): JsonValue[] {
  const advice = ADVICE.exec(problem.fix ?? "")?.[1];
  if (advice === undefined) return [];
  const quoted = [...advice.matchAll(QUOTED)].map((match) => match[1] ?? "");
  const words = quoted.length > 0 ? quoted : advice.split(/,? or |, /);
  const values = words.map((word) => readValue(word, schema));
  return values.includes(undefined) ? [] : (values as JsonValue[]).slice(0, 3);
}

/** A word as a value of the input's type; undefined when it is none. */
function readValue(word: string, schema: InputSchema): JsonValue | undefined {
  switch (schema.type) {
    case "INT":
    case "FLOAT":
      if (!NUMBER.test(word)) return undefined;
      return Number.isSafeInteger(Number(word)) || !/^-?\d+$/.test(word) ? Number(word) : BigInt(word);
    case "BOOLEAN":
      return word === "true" ? true : word === "false" ? false : undefined;
    default:
      return word;
  }
}
