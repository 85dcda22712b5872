import { beforeEach, expect, test } from "vitest";
import type { WireEvent } from "../api/answers";
import type { Job } from "../api/types";
import { jobsStore, receiveJobs, runningIn, waitingIn } from "./jobs";

const EMPTY = jobsStore.getInitialState();
const job = (id: string, position: number): Job => ({
  id,
  status: "queued",
  position,
  number: position,
  client: null,
  name: id,
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
});
let seq = 0;
const said = (id: string | null, part: object): WireEvent => {
  seq += 1;
  return { seq, at: seq, job: id, ...part } as WireEvent;
};
const queued = (each: Job) => said(each.id, { type: "job_queued", job_summary: each });
const started = (id: string) => said(id, { type: "job_started", attempt: 1, device: "cpu" });
const ended = (id: string, status = "done") =>
  said(id, { type: "job_finished", status, seconds: 1, outputs: {}, problems: [] });
const names = (jobs: readonly Job[]) => jobs.map((each) => each.id);

beforeEach(() => {
  jobsStore.setState(EMPTY, true);
});

test("a job goes through the queue into the history", () => {
  receiveJobs([queued(job("a", 1)), queued(job("b", 2)), started("a")]);
  expect(names(runningIn(jobsStore.getState().live))).toEqual(["a"]);
  expect(names(waitingIn(jobsStore.getState().live))).toEqual(["b"]);
  receiveJobs([ended("a")]);
  expect(names(jobsStore.getState().past)).toEqual(["a"]);
  expect(jobsStore.getState().live.a).toBeUndefined();
});

test("a moved job waits in its new place", () => {
  receiveJobs([queued(job("a", 1)), queued(job("b", 2)), queued(job("a", 3))]);
  expect(names(waitingIn(jobsStore.getState().live))).toEqual(["b", "a"]);
});

test("a job that is run again after its worker died waits again", () => {
  receiveJobs([queued(job("a", 1)), started("a"), queued(job("a", 0))]);
  expect(names(waitingIn(jobsStore.getState().live))).toEqual(["a"]);
});

test("a removed job is nowhere", () => {
  receiveJobs([queued(job("a", 1)), queued(job("b", 2)), started("a"), ended("a", "failed")]);
  receiveJobs([said("a", { type: "job_removed" }), said("b", { type: "job_removed" })]);
  const { live, past, pastTotal } = jobsStore.getState();
  expect([live, past, pastTotal]).toEqual([{}, [], 0]);
});

test("a search hides what it does not match", () => {
  jobsStore.setState({ search: "cat" });
  receiveJobs([queued(job("dog", 1)), started("dog"), ended("dog"), queued(job("cat 2", 1)), ended("cat 2")]);
  expect(names(jobsStore.getState().past)).toEqual(["cat 2"]);
});

test("the queue's numbers are the server's", () => {
  receiveJobs([said(null, { type: "queue_changed", paused: true, queued: 812, running: 3 })]);
  expect(jobsStore.getState()).toMatchObject({ paused: true, queued: 812, running: 3 });
});
