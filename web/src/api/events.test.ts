import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { WireEvent } from "./answers";
import { EventStream, type Preview, readPreview, type Socket, type StreamState } from "./events";

class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closed = false;
  constructor(readonly url: string) {}
  close() {
    this.closed = true;
  }
  say(message: unknown) {
    this.onmessage?.({ data: message instanceof ArrayBuffer ? message : JSON.stringify(message) });
  }
  breakOff() {
    this.onclose?.({ code: 1006 });
  }
}

function harness() {
  const sockets: FakeSocket[] = [];
  const told = {
    events: [] as number[],
    previews: [] as Preview[],
    states: [] as StreamState[],
    hellos: [] as boolean[],
  };
  const stream = new EventStream(
    {
      url: (after) => `ws://here/v1/events?after=${after}`,
      open: (url) => {
        const socket = new FakeSocket(url);
        sockets.push(socket);
        return socket;
      },
      firstWait: 100,
      longestWait: 1000,
      random: () => 1,
    },
    {
      onEvent: (event: WireEvent) => told.events.push(event.seq),
      onPreview: (preview) => told.previews.push(preview),
      onState: (state) => told.states.push(state),
      onHello: (fresh) => told.hellos.push(fresh),
    },
  );
  stream.start();
  const socket = (index: number) => sockets[index] as FakeSocket;
  return { stream, sockets, socket, told };
}

const event = (seq: number) => ({ seq, at: 1, type: "queue_changed", job: null, paused: false, queued: 0, running: 0 });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("after a break it asks for what came since, and hands on nothing twice", () => {
  const { socket, told } = harness();
  socket(0).say({ type: "hello", seq: 10, complete: true });
  socket(0).say(event(11));
  socket(0).say(event(12));
  socket(0).breakOff();
  vi.advanceTimersByTime(100);
  expect(socket(1).url).toContain("after=12");
  socket(1).say({ type: "hello", seq: 14, complete: true });
  for (const seq of [11, 12, 13, 14, 14]) socket(1).say(event(seq));
  expect(told.events).toEqual([11, 12, 13, 14]);
  expect(told.hellos).toEqual([true, false]);
});

test("it waits longer after each failure, and starts over once connected", () => {
  const { sockets, socket } = harness();
  socket(0).breakOff();
  vi.advanceTimersByTime(99);
  expect(sockets).toHaveLength(1);
  vi.advanceTimersByTime(1);
  socket(1).breakOff();
  vi.advanceTimersByTime(199);
  expect(sockets).toHaveLength(2);
  vi.advanceTimersByTime(1);
  socket(2).say({ type: "hello", seq: 1 });
  socket(2).breakOff();
  vi.advanceTimersByTime(100);
  expect(sockets).toHaveLength(4);
});

test("a new database makes everything stale", () => {
  const { socket, stream, told } = harness();
  socket(0).say({ type: "hello", seq: 500 });
  socket(0).breakOff();
  vi.advanceTimersByTime(100);
  socket(1).say({ type: "hello", seq: 3 });
  expect(told.hellos).toEqual([true, true]);
  socket(1).say(event(4));
  expect(told.events).toEqual([4]);
  expect(stream.position).toBe(4);
});

test("a log that no longer reaches back makes everything stale", () => {
  const { socket, told } = harness();
  socket(0).say({ type: "hello", seq: 5 });
  socket(0).breakOff();
  vi.advanceTimersByTime(100);
  socket(1).say({ type: "hello", seq: 90_000, complete: false });
  expect(told.hellos).toEqual([true, true]);
});

test("it tries at once when the page comes to the front", () => {
  const { sockets, socket, stream } = harness();
  socket(0).breakOff();
  stream.hurry();
  expect(sockets).toHaveLength(2);
  stream.hurry();
  expect(sockets, "one that is under way is enough").toHaveLength(2);
});

test("stopped, it stays away", () => {
  const { sockets, socket, stream, told } = harness();
  stream.stop();
  vi.advanceTimersByTime(60_000);
  expect(sockets).toHaveLength(1);
  expect(socket(0).closed).toBe(true);
  expect(told.states.at(-1)).toBe("closed");
});

test("a preview is a header and a picture", async () => {
  const header = new TextEncoder().encode(JSON.stringify({ job: "j", node: "a:b", media_type: "image/png" }));
  const frame = new Uint8Array(4 + header.length + 3);
  new DataView(frame.buffer).setUint32(0, header.length);
  frame.set(header, 4);
  frame.set([1, 2, 3], 4 + header.length);
  const preview = readPreview(frame.buffer);
  expect(preview).toMatchObject({ job: "j", node: "a:b" });
  expect(preview?.image.type).toBe("image/png");
  expect(new Uint8Array((await preview?.image.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(new Uint8Array([1, 2, 3]));
});

test("a broken preview is none", () => {
  expect(readPreview(new ArrayBuffer(2))).toBeNull();
  const cut = new ArrayBuffer(8);
  new DataView(cut).setUint32(0, 100);
  expect(readPreview(cut)).toBeNull();
});
