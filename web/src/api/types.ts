/**
 * What the server sends and takes. Made by scripts/types.mjs from the Python models; not written by hand.
 */

import type { JsonValue } from "../document/types";

export type Event =
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

/**
 * From which event on.
 */
export interface AfterQuery {
  after?: number;
}
/**
 * A workflow to look at.
 */
export interface Asked {
  workflow: JsonValue;
  /**
   * Inputs to set before it is looked at, by `node.input`.
   */
  settings?: {
    [k: string]: JsonValue;
  };
  /**
   * Ids of the nodes that count; null for every output node.
   */
  outputs?: string[] | null;
}
/**
 * The saved workflow that a draft changes, and the version it was opened at.
 */
export interface Base {
  name: string;
  version: string;
}
/**
 * What a `drawing` widget draws on.
 *
 * A new canvas takes its size from the node's inputs `width` and `height`, where there are such, else from here.
 */
export interface CanvasSchema {
  width: number;
  /**
   * In pixels.
   */
  height: number;
  /**
   * The only colours there are, each a class: drawn with a hard brush, so that no other colour comes about.
   */
  palette: PaletteColour[] | null;
  /**
   * Begins as nothing at all, instead of white paper (with a palette: its first colour).
   */
  transparent: boolean;
  /**
   * Grey values only, from black (keep) to white (repaint), and it begins black.
   */
  mask: boolean;
}
/**
 * A colour that means something: the name of its class, and its code, such as `#d62830`.
 */
export interface PaletteColour {
  name: string;
  colour: string;
}
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
 * What is wrong with a workflow; nothing when it can run.
 */
export interface Checked {
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
 * What to delete: all jobs that wait, or all that are finished.
 */
export interface Clearing {
  what: "queued" | "finished";
}
/**
 * A workflow as Darkroom's document.
 */
export interface Converted {
  workflow: {
    [k: string]: JsonValue;
  };
  /**
   * What was not certain about it. It may still have problems of its own; see `/v1/validate`.
   */
  problems: Problem[];
}
/**
 * A tab's document. It may be unfinished in every way; `base` is None when it was never saved.
 */
export interface Draft {
  id: string;
  /**
   * In seconds since 1970.
   */
  modified: number;
  title: string | null;
  base: Base | null;
  workflow: {
    [k: string]: JsonValue;
  };
}
/**
 * What a list of workflows or versions says about one.
 */
export interface Entry {
  name: string;
  version: string;
  modified: number;
  size: number;
}
/**
 * The answer to every request that is refused.
 */
export interface Error {
  error: ErrorBody;
}
/**
 * Why a request was refused.
 */
export interface ErrorBody {
  /**
   * For programs.
   */
  code: string;
  /**
   * For people.
   */
  message: string;
  /**
   * Every reason, where there are several.
   */
  problems: Problem[];
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
 * A job as it stands in lists and events: everything but its documents.
 */
export interface Job {
  /**
   * A UUID; also ComfyUI's `prompt_id`.
   */
  id: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  /**
   * Its place in the queue: the smallest is next.
   */
  position: number;
  /**
   * ComfyUI's `number`: the position it was submitted with.
   */
  number: number;
  /**
   * Who asked. One client's jobs run one after another, those of a sweep and of different clients together.
   */
  client: string | null;
  name: string | null;
  source: "v1" | "comfyui" | "cli";
  /**
   * The id that all jobs of one sweep share.
   */
  sweep: string | null;
  /**
   * Inputs by `node.input` that differ from the document: what was asked for beside it, and the point of a sweep.
   */
  settings: {
    [k: string]: JsonValue;
  };
  /**
   * This and the next two in seconds since 1970.
   */
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  /**
   * How long the last attempt ran.
   */
  seconds: number | null;
  attempts: number;
  device: string | null;
  /**
   * What its output nodes show, by node: `{"images": [{"filename", "subfolder", "type", "width", "height"}]}`.
   */
  outputs: {
    [k: string]: {
      [k: string]: JsonValue;
    };
  };
  nodes_total: number | null;
  /**
   * Of those, how many did not have to run; None until it ran.
   */
  nodes_cached: number | null;
  /**
   * Why it failed.
   */
  problems: Problem[];
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
  /**
   * Of nodes in `cached`, what travels from each output measures, as far as that is at hand.
   */
  shapes: {
    [k: string]: string[];
  };
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
  /**
   * The key its results are cached under; freezing the node keeps them.
   */
  key: string | null;
  /**
   * What travels from each output measures, such as `1x256x256x3`; "" for what has no shape.
   */
  shapes: string[];
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
 * From where on to listen, and to what.
 */
export interface EventsQuery {
  /**
   * The last event seen; those that came since are told first. Left out: begin now.
   */
  after?: number | null;
  /**
   * Leave out what concerns the jobs of other clients.
   */
  client?: string | null;
}
/**
 * A workflow in ComfyUI's API format.
 */
export interface Exported {
  prompt: {
    [k: string]: JsonValue;
  };
  /**
   * What is wrong with the workflow; it is written all the same.
   */
  problems: Problem[];
}
/**
 * A workflow to write in another form.
 */
export interface Exporting {
  workflow: JsonValue;
}
/**
 * How to fetch a file.
 */
export interface FileQuery {
  /**
   * A WebP of at most this many pixels a side instead; rounded up to 64, 128, 256, 512 or 1024.
   */
  thumbnail?: number | null;
  /**
   * Any stamp, such as when the file was modified: with one, a browser keeps the answer and asks no more.
   */
  v?: string | null;
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
 * What to let go of, between jobs.
 */
export interface Freeing {
  unload_models?: boolean;
  /**
   * Results kept in memory, too. Those on disk stay.
   */
  free_memory?: boolean;
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
 * That the server answers.
 */
export interface Health {
  status: "ok";
}
/**
 * Which part of the history.
 */
export interface HistoryQuery {
  max_items?: number | null;
  /**
   * Counted from the oldest; left out, `max_items` are the newest.
   */
  offset?: number | null;
}
/**
 * The jobs that this was done to.
 */
export interface Ids {
  ids: string[];
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
  widget:
    | (
        | "number"
        | "slider"
        | "text"
        | "multiline"
        | "combo"
        | "toggle"
        | "seed"
        | "file"
        | "colour"
        | "boxes"
        | "drawing"
      )
    | null;
  minimum: number | null;
  /**
   * For `boxes`: how many there may be.
   */
  maximum: number | null;
  /**
   * Granularity of the widget's arrows; values between steps are valid.
   */
  step: number | null;
  multiple_of: number | null;
  /**
   * A regular expression that a text must hold a match of.
   */
  pattern: string | null;
  /**
   * The values of a combo, when they are fixed. For `boxes`: labels to offer; others are as good.
   */
  options: string[] | null;
  /**
   * For `file` and `drawing`: which folder of the user's the name is looked up in (`checkpoints`, `input`, ...). The file's content is part of the node's key.
   */
  folder: string | null;
  /**
   * For `drawing`: what is drawn on.
   */
  canvas: CanvasSchema | null;
  /**
   * Computed only when the node asks for it.
   */
  lazy: boolean;
  /**
   * Takes the whole list; otherwise the node is mapped over lists.
   */
  is_list: boolean;
  /**
   * Grows: links arrive as `name.0`, `name.1`, ... and the node receives a tuple.
   */
  variadic: boolean;
  help: string;
}
/**
 * A job with its documents.
 */
export interface JobDetail {
  /**
   * A UUID; also ComfyUI's `prompt_id`.
   */
  id: string;
  status: "queued" | "running" | "done" | "failed" | "cancelled";
  /**
   * Its place in the queue: the smallest is next.
   */
  position: number;
  /**
   * ComfyUI's `number`: the position it was submitted with.
   */
  number: number;
  /**
   * Who asked. One client's jobs run one after another, those of a sweep and of different clients together.
   */
  client: string | null;
  name: string | null;
  source: "v1" | "comfyui" | "cli";
  /**
   * The id that all jobs of one sweep share.
   */
  sweep: string | null;
  /**
   * Inputs by `node.input` that differ from the document: what was asked for beside it, and the point of a sweep.
   */
  settings: {
    [k: string]: JsonValue;
  };
  /**
   * This and the next two in seconds since 1970.
   */
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  /**
   * How long the last attempt ran.
   */
  seconds: number | null;
  attempts: number;
  device: string | null;
  /**
   * What its output nodes show, by node: `{"images": [{"filename", "subfolder", "type", "width", "height"}]}`.
   */
  outputs: {
    [k: string]: {
      [k: string]: JsonValue;
    };
  };
  nodes_total: number | null;
  /**
   * Of those, how many did not have to run; None until it ran.
   */
  nodes_cached: number | null;
  /**
   * Why it failed.
   */
  problems: Problem[];
  /**
   * The document that runs: with `settings` in it.
   */
  workflow: JsonValue;
  /**
   * The prompt in ComfyUI's API format, when it was submitted as one.
   */
  prompt: JsonValue;
  /**
   * Ids of the nodes it was asked to run; None for every output node.
   */
  requested: string[] | null;
  /**
   * What the client wanted kept with the job: ComfyUI's `extra_data`.
   */
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
/**
 * Some of the jobs that were asked for, and how many there are in all.
 */
export interface JobPage {
  jobs: Job[];
  total: number;
}
/**
 * Which jobs to list.
 */
export interface JobQuery {
  /**
   * Any of queued, running, done, failed, cancelled, joined by commas.
   */
  status?: string;
  limit?: number;
  offset?: number;
  /**
   * A part of the id, the name, the settings or the workflow.
   */
  q?: string;
  /**
   * Left out: jobs that wait or run as they will run, finished ones the newest first.
   */
  order?: ("newest" | "oldest") | null;
  /**
   * Only the jobs of this client.
   */
  client?: string | null;
}
/**
 * Jobs.
 */
export interface Jobs {
  jobs: Job[];
}
/**
 * Which jobs, and in which order.
 */
export interface JobsQuery {
  status?: ("pending" | "in_progress" | "completed" | "failed" | "cancelled")[];
  sort_by?: "created_at" | "execution_duration";
  sort_order?: "asc" | "desc";
  limit?: number;
  offset?: number;
}
/**
 * What stands in a tab. The document may be unfinished in every way.
 */
export interface KeepDraft {
  workflow: {
    [k: string]: JsonValue;
  };
  /**
   * The saved workflow that was opened, and its version; null when it was never saved.
   */
  base?: Base | null;
  title?: string | null;
}
/**
 * A link that opens the editor once.
 */
export interface Launch {
  /**
   * To be put behind this server's address.
   */
  path: string;
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
 * Which files, and what of them.
 */
export interface ListQuery {
  dir?: string;
  recurse?: boolean;
  full_info?: boolean;
  split?: boolean;
}
/**
 * Which model file.
 */
export interface MetadataQuery {
  filename?: string;
}
/**
 * What a file widget offers.
 */
export interface Names {
  names: string[];
}
/**
 * A wish to queue a workflow, once or for every point of a sweep.
 */
export interface NewJobs {
  /**
   * Darkroom's document, or any other form that `/v1/convert` takes.
   */
  workflow?: JsonValue;
  /**
   * Instead of `workflow`: ComfyUI's API format.
   */
  prompt?: JsonValue;
  /**
   * Inputs to set before it runs, by `node.input`.
   */
  settings?: {
    [k: string]: JsonValue;
  };
  /**
   * Ids of the nodes to run, with all they need; null for every output node.
   */
  outputs?: string[] | null;
  /**
   * Who asks. One client's jobs run one after another, those of different clients and of a sweep together.
   */
  client?: string | null;
  name?: string | null;
  /**
   * Run it before everything that waits.
   */
  front?: boolean;
  sweep?: Sweep | null;
  /**
   * Anything to keep with the jobs.
   */
  extra?: JsonValue;
}
/**
 * One job for each combination of values.
 *
 * `product` combines every value with every other; `zip` takes the first of each, the second of each, and so on.
 */
export interface Sweep {
  mode?: "product" | "zip";
  /**
   * By `node.input`. At most 10,000 jobs come of it.
   */
  values: {
    [k: string]: Range | JsonValue[];
  };
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
  /**
   * Has an effect on the world (saves a file): a graph needs at least one such node.
   */
  output: boolean;
  lane: "device" | "cpu" | "loop";
  aliases: string[];
  /**
   * Has a `fingerprint=` function that must be called to know the key.
   */
  fingerprinted: boolean;
  experimental: boolean;
  /**
   * Where it comes from: `nodes` (built in), or the plugin's name.
   */
  package: string;
  /**
   * Digest of all source files of the package (and, for built-ins, of the engine): part of every key.
   */
  code: string;
}
export interface OutputSchema {
  name: string;
  type: string;
  is_list: boolean;
  help: string;
}
/**
 * The catalogue.
 */
export interface Nodes {
  nodes: NodeSchema[];
  plugins: PluginState[];
  /**
   * Whether a worker has confirmed it; until then it is that of the last time.
   */
  ready: boolean;
}
/**
 * A plugin of the worker's, and what is wrong with it.
 */
export interface PluginState {
  name: string;
  nodes: string[];
  problems: string[];
}
/**
 * A file in the output folder; fetch it at `/v1/files/output/<subfolder>/<filename>`.
 */
export interface Output {
  filename: string;
  subfolder: string;
  type: "output";
  width: number | null;
  /**
   * In pixels; null for what is no picture.
   */
  height: number | null;
  /**
   * In bytes.
   */
  size: number;
  /**
   * In seconds since 1970.
   */
  modified: number;
  /**
   * The job that made it, while the history has it.
   */
  job: string | null;
  node: string | null;
}
/**
 * Which files of the output folder.
 */
export interface OutputQuery {
  limit?: number;
  offset?: number;
  /**
   * Words that the name with its folders must hold.
   */
  q?: string;
  kind?: "pictures" | "all";
}
/**
 * A page of the gallery, and how many files there are in all.
 */
export interface Outputs {
  files: Output[];
  total: number;
}
/**
 * Which folder.
 */
export interface PathQuery {
  path?: string;
}
/**
 * What a picture carries. Anybody may have written it: show it as text, and check it before it runs.
 */
export interface PictureMetadata {
  /**
   * The document it was made by, Darkroom's or ComfyUI's; null without one that can be read.
   */
  workflow: JsonValue;
  /**
   * What ran, in ComfyUI's API format.
   */
  prompt: JsonValue;
  width: number;
  height: number;
}
/**
 * Where a job goes: before another, to the front, or (with neither) to the end.
 */
export interface Place {
  before?: string | null;
  front?: boolean;
}
/**
 * Which nodes a run would call, and which results are there already.
 */
export interface Plan {
  runs: string[];
  cached: string[];
}
/**
 * What the user chose; the defaults hold where nothing was.
 */
export interface Preferences {
  theme: "system" | "dark" | "light";
  /**
   * How much moves on the page.
   */
  motion: "system" | "full" | "reduced";
  /**
   * Whether nodes snap to the grid when they are dragged.
   */
  snap: boolean;
  /**
   * The grid's step, in the canvas's pixels.
   */
  grid: number;
  minimap: boolean;
  /**
   * Whether sampling shows pictures of work in progress.
   */
  previews: boolean;
  /**
   * Ask before files and history are deleted.
   */
  confirm_delete: boolean;
  /**
   * How a workflow with a form opens.
   */
  view: "graph" | "form";
  /**
   * Whether first steps are still pointed out.
   */
  hints: boolean;
}
/**
 * Whether to start no more jobs for now.
 */
export interface QueueChange {
  paused: boolean;
}
/**
 * The queue in numbers.
 */
export interface QueueState {
  paused: boolean;
  queued: number;
  running: number;
}
/**
 * A job that is done, and where to fetch its pictures.
 */
export interface Ran {
  job: Job;
  /**
   * Paths on this server.
   */
  images: string[];
}
/**
 * How many prompts run and wait.
 */
export interface Remaining {
  exec_info: {
    [k: string]: number;
  };
}
/**
 * The new name, with `/` between folders.
 */
export interface Rename {
  to: string;
}
/**
 * A workflow to run while the caller waits.
 */
export interface RunWish {
  /**
   * Darkroom's document, or any other form that `/v1/convert` takes.
   */
  workflow?: JsonValue;
  /**
   * Instead of `workflow`: ComfyUI's API format.
   */
  prompt?: JsonValue;
  /**
   * Inputs to set before it runs, by `node.input`.
   */
  settings?: {
    [k: string]: JsonValue;
  };
  /**
   * Ids of the nodes to run, with all they need; null for every output node.
   */
  outputs?: string[] | null;
  client?: string | null;
  name?: string | null;
  front?: boolean;
}
/**
 * A document to save. It may be unfinished, but must have a workflow's shape.
 */
export interface SaveWorkflow {
  workflow: {
    [k: string]: JsonValue;
  };
}
/**
 * A version of a saved workflow.
 */
export interface SavedWorkflow {
  name: string;
  /**
   * A digest of its content: send it as `If-Match` to save what was made of it.
   */
  version: string;
  /**
   * In seconds since 1970.
   */
  modified: number;
  workflow: JsonValue;
}
/**
 * Who listens.
 */
export interface SocketQuery {
  clientId?: string | null;
}
/**
 * Where an uploaded picture is.
 */
export interface Stored {
  name: string;
  subfolder: string;
  type: string;
}
/**
 * An uploaded picture, as a workflow names it: `subfolder/filename`.
 */
export interface StoredPicture {
  filename: string;
  subfolder: string;
  type: "input" | "output" | "temp";
  width: number;
  height: number;
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
 * The server and its workers.
 */
export interface System {
  version: string;
  python: string;
  system: string;
  pid: number;
  /**
   * In seconds since 1970.
   */
  started_at: number;
  queue: QueueState;
  /**
   * One object for each worker that is up: its device, memory and versions.
   */
  workers: {
    [k: string]: JsonValue;
  }[];
  nodes: number;
  /**
   * The largest upload.
   */
  upload_bytes: number;
}
/**
 * What the gallery shows of a template.
 */
export interface TemplateEntry {
  name: string;
  title: string;
  description: string;
  category: string;
  /**
   * How many it has.
   */
  nodes: number;
  /**
   * Path of a picture of what it makes.
   */
  thumbnail: string | null;
}
/**
 * Which file, and what of it.
 */
export interface ViewQuery {
  filename?: string;
  type?: string;
  subfolder?: string;
  channel?: "rgba" | "rgb" | "a";
  /**
   * `webp` or `jpeg`, with `;quality` behind it: the picture encoded anew.
   */
  preview?: string;
}
/**
 * Jobs by id; null for all that wait or run.
 */
export interface Which {
  ids?: string[] | null;
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
/**
 * How to write.
 */
export interface WriteQuery {
  overwrite?: boolean;
  full_info?: boolean;
}
