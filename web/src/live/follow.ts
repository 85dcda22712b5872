/** Listening to the server: events into the stores in batches, and everything read anew when some were missed. */

import type { WireEvent } from "../api/answers";
import { sentence } from "../api/errors";
import { EventStream, type StreamListener } from "../api/events";

import { catalogueStore } from "../app/catalogue";
import { notify } from "../app/notices";
import { connectionStore, type WorkerState } from "./connection";
import { loadJobs, receiveJobs } from "./jobs";
import { tellOf } from "./notify";
import { receivePreview, receiveRuns } from "./runs";
import { client, streamUrl } from "./server";
import { noticeSave } from "./stored";

/** Follow the server until the returned function is called. */
export function follow(): () => void {
  const inbox = new Inbox(receive);
  const stream = new EventStream({ url: streamUrl }, listener(inbox));
  const hurry = () => document.visibilityState === "visible" && stream.hurry();
  document.addEventListener("visibilitychange", hurry);
  window.addEventListener("online", hurry);
  void loadCatalogue();
  stream.start();
  return () => {
    document.removeEventListener("visibilitychange", hurry);
    window.removeEventListener("online", hurry);
    stream.stop();
    inbox.close();
  };
}

export async function loadCatalogue(): Promise<void> {
  try {
    const { nodes, plugins, ready } = await client.nodes();
    if (nodes.length > 0 || ready) catalogueStore.getState().put(nodes, plugins, client.catalogueEtag, ready);
  } catch (error) {
    catalogueStore.getState().fail();
    refusedBy(error);
  }
}

function listener(inbox: Inbox): StreamListener {
  return {
    onEvent: (event) => inbox.add(event),
    onPreview: receivePreview,
    onState: (stream) => connectionStore.setState(stream === "open" ? { stream, met: true } : { stream }),
    onHello: (fresh) => {
      connectionStore.setState({ refused: false });
      void loadCatalogue();
      if (fresh) void reload();
    },
  };
}

/** Read queue, history and the worker's state. */
async function reload(): Promise<void> {
  try {
    await loadJobs(client);
  } catch (error) {
    if (!refusedBy(error)) notify({ kind: "error", text: `The queue could not be read. ${sentence(error)}` });
  }
}

function refusedBy(error: unknown): boolean {
  const refused = error instanceof Error && "status" in error && error.status === 401;
  if (refused) connectionStore.setState({ refused: true });
  return refused;
}

function receive(events: readonly WireEvent[]): void {
  receiveRuns(events);
  receiveJobs(events);
  for (const event of events) {
    if (event.type === "catalogue_changed") void loadCatalogue();
    else if (event.type === "worker_changed") workerIs(event.state);
    else if (event.type === "workflow_saved") noticeSave(event.name, event.version);
    else if (event.type === "job_finished") tellOf(event);
  }
}

function workerIs(worker: WorkerState): void {
  connectionStore.setState({ worker });
  // Nodes that are as they were the last time are told of by nothing else.
  if (worker === "ready" && !catalogueStore.getState().confirmed) void loadCatalogue();
}

/** Gathers events for a moment, so that a thousand of them change the page once. */
class Inbox {
  private events: WireEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly empty: (events: readonly WireEvent[]) => void) {}

  add(event: WireEvent): void {
    this.events.push(event);
    this.timer ??= setTimeout(() => this.flush(), 16);
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private flush(): void {
    this.timer = undefined;
    const events = this.events;
    this.events = [];
    this.empty(events);
  }
}
