/** A form's own address, `#/form/<workflow>`: a bookmark, or a link for others. */

import { useSyncExternalStore } from "react";

const PREFIX = "#/form/";

/** The hash of a stored workflow's form. */
export function formHash(name: string): string {
  return PREFIX + name.split("/").map(encodeURIComponent).join("/");
}

/** The workflow whose form a hash asks for; null when it asks for none. */
export function formNamed(hash: string): string | null {
  if (!hash.startsWith(PREFIX) || hash.length === PREFIX.length) return null;
  try {
    return decodeURIComponent(hash.slice(PREFIX.length));
  } catch {
    return null; // a `%` that means nothing
  }
}

/** The workflow whose form the page's address asks for. */
export function useFormRoute(): string | null {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener("hashchange", changed);
      return () => window.removeEventListener("hashchange", changed);
    },
    () => formNamed(location.hash),
  );
}
