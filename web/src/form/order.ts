/** Small edits of a form's lists. Pure. */

/** The list with `entry` where `to` is now: behind it when it came from above, before it when from below. */
export function moved(list: readonly string[], entry: string, to: string): string[] {
  const place = list.indexOf(to);
  if (place < 0) return [...list];
  const rest = list.filter((each) => each !== entry);
  return [...rest.slice(0, place), entry, ...rest.slice(place)];
}

/** The words with those of one entry replaced; no words: its own again. */
export function reworded(
  words: Readonly<Record<string, string>> | undefined,
  entry: string,
  now: string,
): Record<string, string> {
  const { [entry]: _, ...others } = words ?? {};
  return now === "" ? others : { ...others, [entry]: now };
}
