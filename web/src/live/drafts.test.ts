// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "../api/errors";
import { createTab } from "../app/store";
import { EMPTY_WORKFLOW, type Workflow } from "../document";
import { DraftKeeper, type LocalDraft, localKey } from "./drafts";
import { remembered } from "./storage";

const SEED = 2n ** 64n - 1n;
const workflow = (seed: number | bigint): Workflow => ({
  darkroom: 1,
  nodes: { sampler: { type: "KSampler", inputs: { seed } } },
});

/** A server's drafts, which can be out of reach. */
function server() {
  const drafts = new Map<string, Workflow>();
  const state = { away: false, writes: 0 };
  const client = {
    async putDraft(id: string, draft: { workflow: Workflow }) {
      state.writes += 1;
      if (state.away) throw new ApiError(0, "unreachable", "It is away.");
      drafts.set(id, draft.workflow);
    },
    async deleteDraft(id: string) {
      drafts.delete(id);
    },
  };
  return { drafts, state, keeper: new DraftKeeper(client) };
}

function edit(tab: ReturnType<typeof createTab>, seed: number | bigint) {
  tab.getState().dispatch({ type: "setInput", node: "sampler", input: "seed", value: seed });
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
});
afterEach(() => {
  vi.useRealTimers();
});

test("edits without a pause are still kept within a second", async () => {
  const { drafts, keeper } = server();
  const tab = createTab(workflow(0), { id: "t" });
  keeper.opened(tab, true);
  for (let step = 1; step <= 10; step += 1) {
    edit(tab, step);
    keeper.changed(tab);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(Number(drafts.get("t")?.nodes.sampler?.inputs?.seed)).toBeGreaterThanOrEqual(5);
  await vi.advanceTimersByTimeAsync(600);
  expect(drafts.get("t")).toBe(tab.getState().document);
});

test("while the server is away the draft stays here, seed and all, and goes there when it is back", async () => {
  const { drafts, state, keeper } = server();
  state.away = true;
  const tab = createTab(workflow(0), { id: "t" });
  keeper.opened(tab, true);
  edit(tab, SEED);
  keeper.changed(tab);
  await vi.advanceTimersByTimeAsync(300);
  expect(remembered<LocalDraft>(localKey("t"))?.workflow).toEqual(workflow(SEED));
  state.away = false;
  keeper.retry();
  await vi.advanceTimersByTimeAsync(1);
  expect(drafts.get("t")).toEqual(workflow(SEED));
  expect(remembered(localKey("t"))).toBeUndefined();
});

test("a page that goes away keeps the last edit", () => {
  const { keeper } = server();
  const tab = createTab(workflow(0), { id: "t" });
  keeper.opened(tab, true);
  edit(tab, 7);
  keeper.changed(tab);
  keeper.flush();
  expect(remembered<LocalDraft>(localKey("t"))?.workflow).toEqual(workflow(7));
});

test("what did not change is not written again", async () => {
  const { state, keeper } = server();
  const tab = createTab(workflow(0), { id: "t" });
  keeper.opened(tab, true);
  keeper.changed(tab);
  keeper.retry();
  await vi.advanceTimersByTimeAsync(5000);
  expect(state.writes).toBe(0);
});

test("the empty tab that the editor starts with is no draft", async () => {
  const { state, keeper } = server();
  keeper.opened(createTab(EMPTY_WORKFLOW, { id: "t" }), false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(state.writes).toBe(0);
});

test("closing a tab throws its draft away", async () => {
  const { drafts, keeper } = server();
  const tab = createTab(workflow(1), { id: "t" });
  keeper.opened(tab, false);
  await vi.advanceTimersByTimeAsync(300);
  expect(drafts.size).toBe(1);
  keeper.closed(tab);
  await vi.advanceTimersByTimeAsync(5000);
  expect(drafts.size).toBe(0);
});
