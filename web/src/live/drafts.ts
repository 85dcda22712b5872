/**
 * Keeping every open tab as a draft on the server, at most a second after an edit.
 *
 * While the server is away, and when the page closes on an edit too large to send then, the draft is kept in this
 * browser instead and goes to the server later. `restoring.ts` takes the newer of the two.
 */

import type { Client } from "../api/client";
import { writeJson } from "../api/json";
import { type SavedAs, type TabStore, tabTitle } from "../app/store";
import { EMPTY_WORKFLOW, type Workflow } from "../document";
import { forget, remember } from "./storage";

export interface LocalDraft {
  workflow: Workflow;
  base: SavedAs | null;
  title: string;
  /** Unix seconds. */
  modified: number;
}

/** Wait for a pause in the edits of so long, but never longer than the second number, in ms. */
const PAUSE_MS = 200;
const LONGEST_MS = 600;
const RETRY_MS = 3000;
/** What browsers send for a page that is closing: 64 KiB, for all requests together. */
const KEEPALIVE_BYTES = 60_000;

export const localKey = (id: string) => `draft.${id}`;

type DraftClient = Pick<Client, "putDraft" | "deleteDraft">;

/** Writes drafts, one request at a time for each tab. */
export class DraftKeeper {
  private readonly tabs = new Map<string, Pending>();

  constructor(
    private readonly client: DraftClient,
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** A tab was opened: what it shows is `kept` already, or must be written. */
  opened(tab: TabStore, kept: boolean): void {
    const { id, document } = tab.getState();
    this.tabs.set(id, { tab, written: kept ? document : undefined, timer: undefined, since: null, sending: false });
    if (!kept) this.changed(tab);
  }

  changed(tab: TabStore): void {
    const pending = this.tabs.get(tab.getState().id);
    if (!pending) return;
    pending.since ??= this.now();
    const wait = Math.max(0, Math.min(PAUSE_MS, pending.since + LONGEST_MS - this.now()));
    clearTimeout(pending.timer);
    pending.timer = setTimeout(() => void this.write(pending), wait);
  }

  closed(tab: TabStore): void {
    const { id } = tab.getState();
    clearTimeout(this.tabs.get(id)?.timer);
    this.tabs.delete(id);
    forget(localKey(id));
    this.client.deleteDraft(id).catch(() => undefined);
  }

  /** The server is back: write what could not be written. */
  retry(): void {
    for (const pending of this.tabs.values()) if (unwritten(pending)) void this.write(pending);
  }

  /** The page goes away: keep in the browser and send what still fits. */
  flush(): void {
    let room = KEEPALIVE_BYTES;
    for (const pending of this.tabs.values()) {
      if (!unwritten(pending)) continue;
      const draft = draftOf(pending.tab, this.now());
      const { id } = pending.tab.getState();
      remember(localKey(id), draft);
      const size = new TextEncoder().encode(writeJson(draft)).length;
      if (size > room) continue;
      room -= size;
      this.client.putDraft(id, wire(draft), true).catch(() => undefined);
    }
  }

  private async write(pending: Pending): Promise<void> {
    clearTimeout(pending.timer);
    if (pending.sending || !unwritten(pending)) return;
    const { id, document } = pending.tab.getState();
    const draft = draftOf(pending.tab, this.now());
    pending.sending = true;
    pending.since = null;
    try {
      await this.client.putDraft(id, wire(draft));
      pending.written = document;
      forget(localKey(id));
    } catch {
      remember(localKey(id), draft);
      pending.timer = setTimeout(() => void this.write(pending), RETRY_MS);
    } finally {
      pending.sending = false;
    }
    const again = pending.written === document && unwritten(pending);
    if (again && this.tabs.has(id)) this.changed(pending.tab);
  }
}

interface Pending {
  tab: TabStore;
  /** The document as the server has it. */
  written: Workflow | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** When the first edit was made that is not written yet. */
  since: number | null;
  sending: boolean;
}

/** The empty tab that the editor starts with is nobody's work. */
function unwritten({ tab, written }: Pending): boolean {
  const { document } = tab.getState();
  return document !== written && document !== EMPTY_WORKFLOW;
}

function draftOf(tab: TabStore, now: number): LocalDraft {
  const { document, saved } = tab.getState();
  return { workflow: document, base: saved, title: tabTitle(tab.getState()), modified: now / 1000 };
}

function wire({ workflow, base, title }: LocalDraft): Omit<LocalDraft, "modified"> {
  return { workflow, base, title };
}
