/** What can go wrong when the server is asked for something. */

import { isObject, type JsonValue } from "./json";
import type { Problem } from "./types";

/**
 * The server said no, or could not be reached (`status` 0, code `unreachable`).
 *
 * `message` is a sentence for the user; `problems` are the reasons that belong to nodes and inputs; `details` is the
 * whole answer, for those that say more (a stale save's `current`).
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: Problem[] = [],
    readonly details: JsonValue = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get unreachable(): boolean {
    return this.status === 0;
  }

  /** Another save came first. */
  get conflict(): boolean {
    return this.status === 409 || this.status === 412;
  }
}

/** The sentence to show for anything that was thrown. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The problems in anything that was thrown; none, when it is not about a workflow. */
export function problemsOf(error: unknown): Problem[] {
  return error instanceof ApiError ? error.problems : [];
}

/** Read the error of an answer whose body is `{"error": {code, message, problems}}`, or is not. */
export function errorOf(status: number, body: JsonValue): ApiError {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const problems = Array.isArray(error.problems) ? (error.problems as unknown as Problem[]) : [];
  return new ApiError(
    status,
    typeof error.code === "string" ? error.code : `http_${status}`,
    typeof error.message === "string" ? error.message : `The server answered with status ${status}.`,
    problems,
    body,
  );
}
