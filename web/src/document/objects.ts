/** Editing objects as values: every function gives a new one, or the same one when nothing changes. */

export function withKey<T>(object: Record<string, T> | undefined, key: string, value: T): Record<string, T> {
  return object && Object.hasOwn(object, key) && object[key] === value ? object : { ...object, [key]: value };
}

export function withoutKeys<T>(object: Record<string, T>, keys: ReadonlySet<string>): Record<string, T> {
  if (!Object.keys(object).some((key) => keys.has(key))) return object;
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.has(key)));
}

/** Each value edited; the same object when none of them changed. */
export function mapValues<T>(object: Record<string, T>, edit: (value: T, key: string) => T): Record<string, T> {
  let changed = false;
  const entries = Object.entries(object).map(([key, value]) => {
    const after = edit(value, key);
    changed ||= after !== value;
    return [key, after] as const;
  });
  return changed ? Object.fromEntries(entries) : object;
}

/** Keys renamed in their places; the same object when none changed. */
export function mapKeys<T>(object: Record<string, T>, rename: (key: string) => string): Record<string, T> {
  let changed = false;
  const entries = Object.entries(object).map(([key, value]) => {
    const after = rename(key);
    changed ||= after !== key;
    return [after, value] as const;
  });
  return changed ? Object.fromEntries(entries) : object;
}

/** Entries of `patch` put in; those that are undefined are taken away. */
export function patchedWith<T extends object>(object: T, patch: Partial<T>): T {
  const changes = Object.entries(patch) as [keyof T, unknown][];
  if (changes.every(([key, value]) => (value === undefined ? !Object.hasOwn(object, key) : object[key] === value))) {
    return object;
  }
  const after = { ...object, ...patch };
  for (const [key, value] of changes) if (value === undefined) delete after[key];
  return after;
}

/** A list with one item edited; the same list when there is no such item or it did not change. */
export function withItem<T>(list: T[] | undefined, index: number, edit: (item: T) => T): T[] | undefined {
  const item = list?.[index];
  if (!list || item === undefined) return list;
  const after = edit(item);
  return after === item ? list : list.map((each, at) => (at === index ? after : each));
}
