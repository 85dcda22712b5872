/**
 * The stream of events: a websocket that comes back by itself and misses nothing.
 *
 * Every event has a sequence number. After a break the stream asks for everything after the last one it handed on, so
 * that nothing is lost; what arrives a second time is dropped. When the log does not reach back that far, or was begun
 * anew (a new database, whose numbers start again), `onHello` says that everything must be read afresh.
 */

import type { WireEvent } from "./answers";
import { isObject, parseJson } from "./json";

export type StreamState = "connecting" | "open" | "waiting" | "closed";

export interface Preview {
  job: string;
  node: string;
  image: Blob;
}

export interface StreamListener {
  onEvent(event: WireEvent): void;
  onPreview(preview: Preview): void;
  onState(state: StreamState): void;
  /** The connection stands; `fresh` when what was shown before may be out of date and must be read again. */
  onHello(fresh: boolean): void;
}

/** The part of a browser's WebSocket that is used here. */
export interface Socket {
  binaryType: BinaryType;
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  close(): void;
}

export interface StreamOptions {
  url(after: number | null): string;
  open?(url: string): Socket;
  /** Milliseconds until the first and the longest next try. */
  firstWait?: number;
  longestWait?: number;
  random?(): number;
}

export class EventStream {
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private last: number | null = null;
  private wanted = false;

  constructor(
    private readonly options: StreamOptions,
    private readonly listener: StreamListener,
  ) {}

  /** The number of the last event handed on; null before the first connection. */
  get position(): number | null {
    return this.last;
  }

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.connect();
  }

  stop(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.drop();
    this.listener.onState("closed");
  }

  /** Try now instead of at the end of the wait: the page came to the front, or the network is back. */
  hurry(): void {
    if (!this.wanted || this.socket) return;
    clearTimeout(this.timer);
    this.connect();
  }

  private connect(): void {
    this.listener.onState("connecting");
    const socket = (this.options.open ?? openWebSocket)(this.options.url(this.last));
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.receive(socket, data);
    socket.onclose = () => this.closed(socket);
    this.socket = socket;
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private closed(socket: Socket): void {
    if (socket !== this.socket) return;
    this.drop();
    if (!this.wanted) return;
    this.listener.onState("waiting");
    this.timer = setTimeout(() => this.connect(), this.nextWait());
  }

  /** Twice as long after every failure, and never the same for two pages, so that a restarted server is not stormed. */
  private nextWait(): number {
    const { firstWait = 250, longestWait = 10_000, random = Math.random } = this.options;
    const wait = Math.min(longestWait, firstWait * 2 ** this.failures);
    this.failures += 1;
    return wait * (0.5 + random() / 2);
  }

  private receive(socket: Socket, data: unknown): void {
    if (socket !== this.socket) return;
    if (data instanceof ArrayBuffer) {
      const preview = readPreview(data);
      if (preview) this.listener.onPreview(preview);
      return;
    }
    const message = typeof data === "string" ? parseJson(data) : null;
    if (!isObject(message)) return;
    if (message.type === "hello") this.hello(Number(message.seq), message.complete !== false);
    else this.event(message as unknown as WireEvent);
  }

  private hello(current: number, complete: boolean): void {
    this.failures = 0;
    const begunAnew = this.last !== null && current < this.last;
    const first = this.last === null;
    if (first || begunAnew) this.last = current;
    this.listener.onState("open");
    this.listener.onHello(first || begunAnew || !complete);
  }

  private event(event: WireEvent): void {
    if (typeof event.seq === "number") {
      if (this.last !== null && event.seq <= this.last) return;
      this.last = event.seq;
    }
    this.listener.onEvent(event);
  }
}

/** Read a preview: 4 bytes length of the header (big-endian), the header's JSON, the picture. */
export function readPreview(data: ArrayBuffer): Preview | null {
  if (data.byteLength < 4) return null;
  const length = new DataView(data).getUint32(0);
  if (4 + length > data.byteLength) return null;
  const header = parseJson(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  if (!isObject(header)) return null;
  const image = new Blob([data.slice(4 + length)], { type: String(header.media_type ?? "image/jpeg") });
  return { job: String(header.job), node: String(header.node), image };
}

function openWebSocket(url: string): Socket {
  return new WebSocket(url) as unknown as Socket;
}
