import { expect, test } from "vitest";
import type { WireEvent } from "../api/answers";
import type { Job, Problem } from "../api/types";
import { type JobRun, newRun } from "../app/run";
import { account, jobAfter, recalled } from "./account";

type Said<T> = T extends WireEvent ? Omit<T, "seq" | "at" | "job"> : never;

/** The run after these events, numbered from 1, one a second. */
function after(...said: Said<WireEvent>[]): JobRun {
  return said
    .map((event, index) => ({ ...event, seq: index + 1, at: index + 1, job: "j" }) as WireEvent)
    .reduce(account, newRun("j"));
}

const started = { type: "job_started", attempt: 1, device: "cpu" } as const;
const planned = { type: "run_started", nodes: ["load", "sample", "save"], cached: ["load"] } as const;
const planned2 = { ...planned, nodes: [...planned.nodes], cached: [...planned.cached], shapes: {} };
const sampling = { type: "node_started", node: "sample", node_type: "KSampler" } as const;
const problem: Problem = {
  code: "node_failed",
  message: "It has no memory.",
  node: null,
  input: null,
  wanted: null,
  got: null,
  fix: null,
};

test("a run knows its nodes, and which are cached", () => {
  const run = after(started, planned2);
  expect(run).toMatchObject({ status: "running", startedAt: 1 });
  expect(run.nodes).toEqual({
    load: { status: "cached" },
    sample: { status: "waiting" },
    save: { status: "waiting" },
  });
});

test("of a cached node is known what it measures", () => {
  const run = after(started, { ...planned2, shapes: { load: ["", "1x77x64"] } });
  expect(run.nodes.load).toEqual({ status: "cached", shapes: ["", "1x77x64"] });
  expect(run.nodes.sample).toEqual({ status: "waiting" });
});

test("progress keeps when the node started and what it is", () => {
  const run = after(started, planned2, sampling, {
    type: "node_progress",
    node: "sample",
    step: 3,
    total: 30,
    text: "",
  });
  expect(run.nodes.sample).toMatchObject({ status: "running", step: 3, total: 30, startedAt: 3, type: "KSampler" });
});

test("a finished node keeps its key, its time and what it shows", () => {
  const ui = { images: [{ filename: "a.png", subfolder: "", type: "output" }] };
  const run = after(started, planned2, sampling, {
    type: "node_finished",
    node: "sample",
    cached: false,
    seconds: 2.5,
    ui,
    key: "abc",
    shapes: ["1x4x8x8"],
  });
  expect(run.nodes.sample).toEqual({
    status: "done",
    seconds: 2.5,
    key: "abc",
    type: "KSampler",
    shapes: ["1x4x8x8"],
  });
  expect(run.outputs.sample).toEqual(ui);
});

test("a failed node's problem names the node, even where the server left it out", () => {
  const run = after(started, planned2, { type: "node_errored", node: "sample", node_type: "KSampler", problem });
  expect(run.nodes.sample?.status).toBe("failed");
  expect(run.problems).toEqual([{ ...problem, node: "sample" }]);
});

test("what did not run when the job ended was skipped", () => {
  const run = after(started, planned2, sampling, {
    type: "job_finished",
    status: "cancelled",
    seconds: 1,
    outputs: {},
    problems: [],
  });
  expect(run.status).toBe("cancelled");
  expect(Object.values(run.nodes).map((node) => node.status)).toEqual(["cached", "skipped", "skipped"]);
});

test("a second attempt begins anew", () => {
  const failed = { type: "node_errored", node: "sample", node_type: "KSampler", problem } as const;
  const run = after(started, planned2, failed, { ...started, attempt: 2 });
  expect(run).toMatchObject({ status: "running", nodes: {}, problems: [], startedAt: 4 });
});

test("an event that was taken in already changes nothing", () => {
  const run = after(started, planned2, sampling);
  const again = { ...started, seq: 1, at: 1, job: "j" } as WireEvent;
  expect(account(run, again)).toBe(run);
});

const JOB: Job = {
  id: "j",
  status: "queued",
  position: 1,
  number: 1,
  client: null,
  name: "Cat",
  source: "v1",
  sweep: null,
  settings: {},
  created_at: 0,
  started_at: null,
  finished_at: null,
  seconds: null,
  attempts: 0,
  device: null,
  outputs: {},
  nodes_total: null,
  nodes_cached: null,
  problems: [],
};

test("a job follows its events", () => {
  const running = jobAfter(JOB, { ...started, seq: 1, at: 5, job: "j" });
  expect(running).toMatchObject({ status: "running", started_at: 5, attempts: 1, device: "cpu" });
  const counted = jobAfter(running, { ...planned2, seq: 2, at: 6, job: "j" });
  expect(counted).toMatchObject({ nodes_total: 3, nodes_cached: 1 });
});

test("a past run is recalled from what the history keeps", () => {
  const run = recalled({
    ...JOB,
    status: "failed",
    seconds: 3,
    problems: [problem],
    node_states: {
      load: { state: "done", seconds: 0.1, cached: true },
      sample: { state: "errored", seconds: null, cached: false },
    },
  });
  expect(run).toMatchObject({ status: "failed", seconds: 3, problems: [problem] });
  expect(run.nodes).toEqual({ load: { status: "cached", seconds: 0.1 }, sample: { status: "failed" } });
});
