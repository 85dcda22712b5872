import { expect, test } from "vitest";
import { type JobRun, type NodeRun, newRun } from "../app/run";
import { estimate, inWords, learn } from "./estimate";

const running = (nodes: Record<string, NodeRun>): JobRun => ({ ...newRun("j"), status: "running", nodes });
const typeOf = (node: string) => ({ load: "LoadCheckpoint", sample: "KSampler", save: "SaveImage" })[node];
const KNOWN = { LoadCheckpoint: 2, KSampler: 8, SaveImage: 0 };

test("what is known of the past says how far a run is", () => {
  const run = running({
    load: { status: "done", seconds: 2 },
    sample: { status: "waiting" },
    save: { status: "waiting" },
  });
  expect(estimate(run, KNOWN, typeOf, 100)).toEqual({ share: 0.2, left: 8 });
});

test("cached nodes cost nothing", () => {
  const run = running({ load: { status: "cached" }, sample: { status: "waiting" } });
  expect(estimate(run, KNOWN, typeOf, 100)).toEqual({ share: 0, left: 8 });
});

test("a node's own steps say more than the past", () => {
  const sample: NodeRun = { status: "running", type: "KSampler", startedAt: 90, step: 5, total: 20 };
  expect(estimate(running({ sample }), KNOWN, typeOf, 100)).toEqual({ share: 0.25, left: 30 });
});

test("a node that takes longer than it used to is nearly done, never over", () => {
  const sample: NodeRun = { status: "running", type: "KSampler", startedAt: 80 };
  const { share, left } = estimate(running({ sample }), KNOWN, typeOf, 100);
  expect(share).toBeLessThan(1);
  expect(left).toBeGreaterThan(0);
});

test("a first sampling is not promised a time", () => {
  const run = running({ sample: { status: "waiting" } });
  expect(estimate(run, {}, typeOf, 100).left).toBeNull();
});

test("a finished run is whole, a waiting one unknown", () => {
  expect(estimate({ ...newRun("j"), status: "done" }, {}, typeOf, 1).share).toBe(1);
  expect(estimate(newRun("j"), {}, typeOf, 1).share).toBeNull();
});

test("new times move the average towards them", () => {
  expect(learn({}, "KSampler", 10)).toEqual({ KSampler: 10 });
  expect(learn({ KSampler: 10 }, "KSampler", 20)).toEqual({ KSampler: 14 });
});

test.each([
  [0.34, "0.3 s"],
  [3.4, "3 s"],
  [59.6, "1 min"],
  [80, "1 min 20 s"],
  [120, "2 min"],
  [7500, "2 h 5 min"],
])("%d seconds are %s", (seconds, words) => {
  expect(inWords(seconds)).toBe(words);
});
