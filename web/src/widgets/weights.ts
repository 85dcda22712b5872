/** Emphasis in prompts: `(word:1.1)` counts a tenth more. Ctrl+Up and Ctrl+Down write and change it. */

export interface Selected {
  text: string;
  start: number;
  end: number;
}

const WEIGHTED = /^\((.*):(-?\d*\.?\d+)\)$/s;
const AFTER = /^:(-?\d*\.?\d+)\)/;
const BREAK = /[\s,.;:!?()[\]{}<>|"/\\]/;

/**
 * Change the weight of what is selected, or of the words in parentheses or the word that the cursor is in, by `by`.
 * A weight of 1 is written as none. What comes back has the weighted words selected, so that keys can follow keys.
 */
export function weigh(selected: Selected, by: number): Selected {
  const { text } = selected;
  const [start, end] = spanOf(selected);
  if (start === end) return selected;
  const [inner, weight] = split(text.slice(start, end));
  const heavier = Math.round((weight + by) * 100) / 100;
  const plain = heavier === 1;
  const written = plain ? inner : `(${inner}:${heavier})`;
  const from = start + (plain ? 0 : 1);
  return {
    text: text.slice(0, start) + written + text.slice(end),
    start: from,
    end: from + inner.length,
  };
}

/** From where to where the words go, with the parentheses and weight around them if there are any. */
function spanOf({ text, start, end }: Selected): [number, number] {
  if (start === end) {
    const group = groupAround(text, start);
    if (group) return group;
    [start, end] = wordAround(text, start);
  }
  while (start < end && /\s/.test(text.charAt(start))) start += 1;
  while (end > start && /\s/.test(text.charAt(end - 1))) end -= 1;
  const after = AFTER.exec(text.slice(end));
  const enclosed = text.charAt(start - 1) === "(" && after !== null;
  return enclosed ? [start - 1, end + after[0].length] : [start, end];
}

/** The innermost `(words:weight)` around a place. */
function groupAround(text: string, place: number): [number, number] | null {
  let depth = 0;
  for (let start = place - 1; start >= 0; start -= 1) {
    const character = text.charAt(start);
    if (character === ")") depth += 1;
    else if (character === "(" && depth > 0) depth -= 1;
    else if (character === "(") {
      const end = closing(text, start);
      return end !== null && end >= place && WEIGHTED.test(text.slice(start, end)) ? [start, end] : null;
    }
  }
  return null;
}

/** Behind the parenthesis that closes the one at `start`. */
function closing(text: string, start: number): number | null {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    if (text.charAt(at) === "(") depth += 1;
    if (text.charAt(at) === ")") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return null;
}

function wordAround(text: string, place: number): [number, number] {
  let start = place;
  let end = place;
  while (start > 0 && !BREAK.test(text.charAt(start - 1))) start -= 1;
  while (end < text.length && !BREAK.test(text.charAt(end))) end += 1;
  return [start, end];
}

function split(words: string): [string, number] {
  const match = WEIGHTED.exec(words);
  return match ? [match[1] ?? "", Number(match[2])] : [words, 1];
}
