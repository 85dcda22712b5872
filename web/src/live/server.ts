/** The one client of the page, and who it is to the server. */

import { Client } from "../api/client";
import { remember, remembered } from "./storage";

export const client = new Client();

const session = () => sessionStorage;

/** Names this page to the server; stays the same when the page is loaded again. */
export const clientId: string =
  remembered<string>("client", session) ??
  (() => {
    const id = newId();
    remember("client", id, session);
    return id;
  })();

/** A random id. `crypto.randomUUID` exists only where the page came over https or from this machine. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Address of the event stream, from after event number `after`. */
export function streamUrl(after: number | null): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return client.transport.url(`${scheme}//${location.host}/v1/events`, { after: after ?? undefined });
}
