/** Whether the server is there, and what its workers are doing. */

import { createStore, useStore } from "zustand";
import type { StreamState } from "../api/events";
import type { WorkerChanged } from "../api/types";

export type WorkerState = WorkerChanged["state"];

interface Connection {
  stream: StreamState;
  /** Whether the stream was ever open: before that, the page is only starting. */
  met: boolean;
  /** What the worker does; null until the server said. */
  worker: WorkerState | null;
  /** The server refuses this browser: it needs the launch address that the server printed. */
  refused: boolean;
}

export const connectionStore = createStore<Connection>()(() => ({
  stream: "connecting",
  met: false,
  worker: null,
  refused: false,
}));

export function useConnection<T>(selector: (connection: Connection) => T): T {
  return useStore(connectionStore, selector);
}
