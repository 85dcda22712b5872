/** Finding nodes by a few letters of their name, category or alias. Pure. */

import type { NodeSchema } from "../document";

/**
 * How well a query fits a text; 0: not at all. Its letters must come in order; whole words, beginnings of words and
 * letters in a row count more, and so do short texts.
 */
export function score(query: string, text: string): number {
  const wanted = query.toLowerCase();
  const given = text.toLowerCase();
  if (wanted === "") return 1;
  if (given === wanted) return 1000;
  const at = given.indexOf(wanted);
  if (at >= 0) return 500 + (startsWord(text, at) ? 200 : 0) + (at === 0 ? 100 : 0) - Math.min(text.length, 90);
  let points = 0;
  let from = 0;
  let run = 0;
  for (const letter of wanted) {
    const next = given.indexOf(letter, from);
    if (next < 0) return 0;
    run = next === from && from > 0 ? run + 1 : 0;
    points += 4 + run * 6 + (startsWord(text, next) ? 14 : 0) - Math.min(next - from, 8);
    from = next + 1;
  }
  return Math.max(1, points - text.length / 8);
}

function startsWord(text: string, at: number): boolean {
  if (at === 0) return true;
  const before = text[at - 1] ?? "";
  const here = text[at] ?? "";
  return /[^A-Za-z0-9]/.test(before) || (/[a-z0-9]/.test(before) && /[A-Z]/.test(here));
}

/** How well a node answers a query: every word of it must be found somewhere. */
export function scoreNode(query: string, node: NodeSchema): number {
  const words = query.trim().split(/\s+/);
  const whole = Math.max(score(query.trim(), node.title), score(query.trim(), node.name));
  const each = words.map((word) =>
    Math.max(
      score(word, node.title),
      score(word, node.name),
      ...node.aliases.map((alias) => score(word, alias) * 0.9),
      score(word, node.category) * 0.4,
    ),
  );
  if (each.some((points) => points <= 0)) return Math.max(0, whole);
  return Math.max(whole, each.reduce((sum, points) => sum + points, 0) / each.length);
}

/** The nodes that answer a query, best first; all of them by title when it is empty. */
export function findNodes(query: string, nodes: Iterable<NodeSchema>): NodeSchema[] {
  const all = [...nodes];
  if (query.trim() === "") return all.sort((a, b) => a.title.localeCompare(b.title));
  return all
    .map((node) => ({ node, points: scoreNode(query, node) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || a.node.title.localeCompare(b.node.title))
    .map(({ node }) => node);
}
