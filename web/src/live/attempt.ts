/** Doing what was asked, and telling when it did not work. */

import { sentence } from "../api/errors";
import { notify } from "../app/notices";

/** Run `task`; when it throws, say `failure` and why. @returns its result, undefined when it failed. */
export async function attempt<T>(failure: string, task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    notify({ kind: "error", text: `${failure}. ${sentence(error)}` });
    return undefined;
  }
}
