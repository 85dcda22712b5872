/** One request to the server: exact JSON in and out, errors as `ApiError`, the cookie sent along. */

import { ApiError, errorOf } from "./errors";
import { type JsonValue, parseJson, writeJson } from "./json";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface Request {
  method?: string;
  /** Query parameters; those that are undefined or empty are left out. */
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is (a form, a file). */
  body?: BodyInit;
  headers?: Record<string, string>;
  /** Let the request outlive the page. */
  keepalive?: boolean;
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  headers: Headers;
  json: JsonValue;
}

export class Transport {
  constructor(
    private readonly fetch: Fetch,
    readonly base = "",
  ) {}

  url(path: string, query: Request["query"] = {}): string {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
    return this.base + path + (text && `?${text}`);
  }

  /** Ask, and read the answer's JSON. 304 is an answer too. @throws ApiError */
  async ask(path: string, request: Request = {}): Promise<Answer> {
    const response = await this.send(path, request);
    const text = await response.text();
    const json = readAnswer(text);
    if (!response.ok && response.status !== 304) throw errorOf(response.status, json);
    return { status: response.status, headers: response.headers, json };
  }

  private async send(path: string, request: Request): Promise<Response> {
    const headers = { ...request.headers };
    if (request.json !== undefined) headers["Content-Type"] = "application/json";
    const body = request.json === undefined ? request.body : writeJson(request.json);
    try {
      return await this.fetch(this.url(path, request.query), {
        method: request.method ?? "GET",
        headers,
        credentials: "same-origin",
        ...(body !== undefined && { body }),
        ...(request.keepalive && { keepalive: true }),
        ...(request.signal && { signal: request.signal }),
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new ApiError(0, "unreachable", "The server cannot be reached. Start it again, or check the connection.");
    }
  }
}

/** An answer that is not JSON (a proxy's page) reads as null; the status says enough. */
function readAnswer(text: string): JsonValue {
  if (!text) return null;
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}
