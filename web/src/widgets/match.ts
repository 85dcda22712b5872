/** Find choices by a few letters: every word of the query must be in the name; the start of a name counts most. */

export interface Found {
  /** The best matches, at most as many as were asked for. */
  names: string[];
  /** How many more there are. */
  more: number;
}

export function find(query: string, names: readonly string[], limit: number): Found {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? names : ranked(words, names);
  return { names: found.slice(0, limit), more: Math.max(0, found.length - limit) };
}

function ranked(words: readonly string[], names: readonly string[]): string[] {
  const scored: { name: string; score: number }[] = [];
  for (const name of names) {
    const score = scoreOf(words, name.toLowerCase());
    if (score > 0) scored.push({ name, score });
  }
  // Equal ones stay in their order: sort is stable.
  return scored.sort((one, other) => other.score - one.score).map(({ name }) => name);
}

/** 0: some word is not there. A word at the start of the name, or after a separator, is worth more. */
function scoreOf(words: readonly string[], name: string): number {
  let score = 1;
  for (const word of words) {
    const at = name.indexOf(word);
    if (at < 0) return 0;
    const before = name.charAt(at - 1);
    score += at === 0 ? 3 : /[\s/\\_.-]/.test(before) ? 2 : 1;
  }
  return words.length === 1 && name === words[0] ? score + 10 : score;
}
