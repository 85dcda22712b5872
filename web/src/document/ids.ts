/** Readable ids for new nodes: `sampler`, `sampler_2`. */

/** A name that is not taken: the wish itself, or with the first number from 2 on that makes it new. */
export function freeName(wish: string, taken: ReadonlySet<string> | Record<string, unknown>): string {
  const isTaken = (name: string) => (taken instanceof Set ? taken.has(name) : Object.hasOwn(taken, name));
  const stem = wish === "" ? "node" : wish;
  if (!isTaken(stem)) return stem;
  const base = stem.replace(/_[0-9]+$/, "");
  for (let number = 2; ; number++) if (!isTaken(`${base}_${number}`)) return `${base}_${number}`;
}

/** What nodes of a type are called: `KSampler` -> `sampler`, `VAEDecode` -> `vae_decode`. */
export function idStem(type: string): string {
  const words = type
    .replace(/^subgraph:/, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "");
  const telling = words.filter((word) => word.length > 1);
  return (telling.length > 0 ? telling : words).join("_").toLowerCase();
}
