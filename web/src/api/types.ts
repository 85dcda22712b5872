/**
 * What the server sends and takes. Made by scripts/types.mjs from the Python models; not written by hand.
 */

import type { JsonValue } from "../document/types";

/**
 * An event as it comes over the websocket.
 */
export type WireEvent =
  | JobQueued
  | JobStarted
  | JobRunStarted
  | JobNodeStarted
  | JobNodeProgress
  | JobNodeFinished
  | JobNodeErrored
  | JobNodeSkipped
  | JobFinished
  | JobRemoved
  | QueueChanged
  | CatalogueChanged
  | WorkerChanged
  | WorkflowSaved;

export interface CatalogueChanged {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "catalogue_changed";
  etag: string;
}
/**
 * The page for people who never want to see the graph.
 *
 * `inputs` (`"node.input"`) are asked for in this order, `outputs` are the nodes whose results are shown; `help` is
 * Markdown. `labels` and `hints` say, by entry of `inputs`, what an input is called and what stands under it, where
 * its own name and help are not meant for such people.
 */
export interface Form {
  inputs?: string[];
  outputs?: string[];
  title?: string | null;
  help?: string | null;
  labels?: {
    [k: string]: string;
  };
  hints?: {
    [k: string]: string;
  };
}
/**
 * A titled frame behind some nodes.
 */
export interface Group {
  position: number[];
  size?: number[] | null;
  colour?: string | null;
  collapsed?: boolean;
  title?: string;
}
/**
 * One input of a node.
 *
 * `type` is an upper-case port type (`IMAGE`, `LATENT`, `INT`, `FLOAT`, `STRING`, `BOOLEAN`, `COMBO`, ...), a comma
 * list for a union, or `*` for anything. `widget` is how an unconnected input is edited; None means that it must be
 * linked (or left out, when not `required`).
 */
export interface InputSchema {
  name: string;
  type: string;
  required: boolean;
  default: JsonValue;
  widget: ("number" | "slider" | "text" | "multiline" | "combo" | "toggle" | "seed" | "file" | "colour") | null;
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  multiple_of: number | null;
  pattern: string | null;
  options: string[] | null;
  folder: string | null;
  lazy: boolean;
  is_list: boolean;
  variadic: boolean;
  help: string;
}
/**
 * A job as it stands in lists and events: everything but its documents.
 */
export interface Job {
  id: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  position: number;
  number: number;
  client: string | null;
  name: string | null;
  source: "v1" | "comfyui" | "cli";
  sweep: string | null;
  settings: {
    [k: string]: JsonValue;
  };
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  seconds: number | null;
  attempts: number;
  device: string | null;
  outputs: {
    [k: string]: {
      [k: string]: JsonValue;
    };
  };
  nodes_total: number | null;
  nodes_cached: number | null;
  problems: Problem[];
}
/**
 * One thing wrong with a workflow.
 *
 * `code` is a stable snake_case name (`unknown_node`, `missing_input`, `value_out_of_range`, ...); `node` and `input`
 * say where; `wanted`, `got` and `fix` are short phrases for people; `fix` starts with a verb.
 */
export interface Problem {
  code: string;
  message: string;
  node: string | null;
  input: string | null;
  wanted: string | null;
  got: string | null;
  fix: string | null;
}
/**
 * A job with its documents.
 */
export interface JobDetail {
  id: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  position: number;
  number: number;
  client: string | null;
  name: string | null;
  source: "v1" | "comfyui" | "cli";
  sweep: string | null;
  settings: {
    [k: string]: JsonValue;
  };
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  seconds: number | null;
  attempts: number;
  device: string | null;
  outputs: {
    [k: string]: {
      [k: string]: JsonValue;
    };
  };
  nodes_total: number | null;
  nodes_cached: number | null;
  problems: Problem[];
  workflow: JsonValue;
  prompt: JsonValue;
  requested: string[] | null;
  extra: JsonValue;
  node_states: {
    [k: string]: NodeState;
  };
}
/**
 * How far one node of a job has come.
 */
export interface NodeState {
  state: "running" | "done" | "errored" | "skipped";
  seconds: number | null;
  cached: boolean;
}
export interface JobFinished {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "job_finished";
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  seconds: number | null;
  outputs: {
    [k: string]: {
      [k: string]: JsonValue;
    };
  };
  problems: Problem[];
}
export interface JobNodeErrored {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "node_errored";
  node: string;
  node_type: string;
  problem: Problem;
}
export interface JobNodeFinished {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "node_finished";
  node: string;
  cached: boolean;
  seconds: number;
  ui: {
    [k: string]: JsonValue;
  };
  key: string | null;
}
/**
 * At most ten times a second for a node; the last step is always told.
 */
export interface JobNodeProgress {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "node_progress";
  node: string;
  step: number;
  total: number;
  text: string;
}
export interface JobNodeSkipped {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "node_skipped";
  node: string;
  reason: string;
}
export interface JobNodeStarted {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "node_started";
  node: string;
  node_type: string;
}
/**
 * A job was stored, moved or put back: `job_summary` is how it stands now.
 */
export interface JobQueued {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "job_queued";
  job_summary: Job;
}
/**
 * A job was deleted, from the queue or the history.
 */
export interface JobRemoved {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "job_removed";
}
/**
 * The worker knows what there is to do. Nodes in `cached` will not run.
 */
export interface JobRunStarted {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "run_started";
  nodes: string[];
  cached: string[];
}
export interface JobStarted {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "job_started";
  attempt: number;
  device: string | null;
}
/**
 * What only the canvas needs. `wires`: the points that the wire into an input (`"node.input"`) is led through.
 */
export interface Layout {
  nodes?: {
    [k: string]: NodeBox;
  };
  groups?: Group[];
  notes?: Note[];
  wires?: {
    [k: string]: number[][];
  };
  view?: View | null;
}
/**
 * Where and how a node is drawn. `seeds`: what happens to its seeds before a run, by input.
 */
export interface NodeBox {
  position: number[];
  size?: number[] | null;
  colour?: string | null;
  collapsed?: boolean;
  seeds?: {
    [k: string]: "fixed" | "random" | "increment";
  };
}
/**
 * Text for people, lying on the canvas.
 */
export interface Note {
  position: number[];
  size?: number[] | null;
  colour?: string | null;
  collapsed?: boolean;
  text?: string;
}
/**
 * The part of the canvas that is in sight: its upper left corner, and pixels of the screen for each of its own.
 */
export interface View {
  x?: number;
  y?: number;
  zoom?: number;
}
/**
 * Everything about a node except its body.
 */
export interface NodeSchema {
  name: string;
  title: string;
  version: number;
  category: string;
  help: string;
  inputs: InputSchema[];
  outputs: OutputSchema[];
  output: boolean;
  lane: "device" | "cpu" | "loop";
  aliases: string[];
  fingerprinted: boolean;
  experimental: boolean;
  package: string;
  code: string;
}
export interface OutputSchema {
  name: string;
  type: string;
  is_list: boolean;
  help: string;
}
/**
 * A plugin of the worker's, and what is wrong with it.
 */
export interface PluginState {
  name: string;
  nodes: string[];
  problems: string[];
}
export interface QueueChanged {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "queue_changed";
  paused: boolean;
  queued: number;
  running: number;
}
/**
 * Evenly spaced numbers from `from` to `to`, both included: by `step`, or `count` of them.
 */
export interface Range {
  from: number;
  to: number;
  step?: number | null;
  count?: number | null;
}
/**
 * Nodes that are used as one. A node of type `subgraph:<key>` is an instance; see `engine.graph.subgraphs`.
 */
export interface Subgraph {
  name?: string | null;
  nodes?: {
    [k: string]: WorkflowNode;
  };
  layout?: Layout | null;
  inputs?: SubgraphInput[];
  outputs?: SubgraphOutput[];
}
/**
 * One node of a workflow.
 *
 * `version` is that of the node type it was written for; None is the present one. `frozen` is the cache key of a
 * result to use for as long as it is there, whatever the inputs say now.
 */
export interface WorkflowNode {
  type: string;
  version?: number | null;
  title?: string | null;
  mode?: "run" | "mute" | "bypass";
  inputs?: {
    [k: string]:
      | string
      | number
      | boolean
      | null
      | {
          from: string | unknown[];
        }
      | {
          from: string | unknown[];
        }[]
      | {
          value: unknown;
        };
  };
  frozen?: string | null;
}
/**
 * An input of a subgraph and the inputs of inner nodes (`"node.input"`) that take its value.
 */
export interface SubgraphInput {
  name: string;
  to?: string[];
}
/**
 * An output of a subgraph and the output of an inner node (`"node.output"`) that it is.
 */
export interface SubgraphOutput {
  name: string;
  from: string;
}
/**
 * One job for each combination of values.
 *
 * `product` combines every value with every other; `zip` takes the first of each, the second of each, and so on.
 */
export interface Sweep {
  mode?: "product" | "zip";
  values: {
    [k: string]: Range | JsonValue[];
  };
}
export interface WorkerChanged {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "worker_changed";
  device: string | null;
  state: "starting" | "ready" | "busy" | "gone";
}
export interface WorkflowSaved {
  /**
   * Counts up over all events of a database.
   */
  seq: number;
  /**
   * Seconds since 1970.
   */
  at: number;
  job: string | null;
  type: "workflow_saved";
  name: string;
  version: string;
}
/**
 * A whole document.
 *
 * `origin` is `comfyui` for one that came in ComfyUI's API format: any node id is allowed, and undeclared literals
 * (such as the `upload` of its LoadImage) are dropped.
 */
export interface Workflow {
  darkroom?: 1;
  name?: string | null;
  description?: string | null;
  origin?: "darkroom" | "comfyui";
  nodes: {
    [k: string]: WorkflowNode;
  };
  layout?: Layout | null;
  subgraphs?: {
    [k: string]: Subgraph;
  };
  form?: Form | null;
}
