/**
 * The workflow document, as it is stored and sent: the mirror of `engine/graph/workflow.py`.
 *
 * Documents are values: nothing here is ever changed in place. Keys that this version does not know are kept.
 */

/** A whole number beyond 2^53 - 1 (a seed) is a `bigint`: read and write JSON with `api/json.ts`, which keeps it exact. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | { [key: string]: JsonValue };

/** Where an input's value comes from; the long form is for ids with dots or spaces, as other programs make them. */
export interface Link {
  from: string | [node: string, output: string | number];
}

/** A literal, a link, the links of an input that grows, or a wrapped literal object or list. */
export type InputValue = null | boolean | number | bigint | string | Link | Link[] | { value: JsonValue };

/** x and y, or width and height, in the canvas's pixels. */
export type Point = [x: number, y: number];

/** `mute`: as if the node were not there. `bypass`: what comes in goes out, matched by type. */
export type Mode = "run" | "mute" | "bypass";

export type SeedMode = "fixed" | "random" | "increment";

/** Where and how a node is drawn. */
export interface Box {
  position: Point;
  size?: Point | null;
  colour?: string | null;
  collapsed?: boolean;
  /** What becomes of each seed input after a run is queued. */
  seeds?: Record<string, SeedMode>;
}

export interface Group {
  title?: string;
  position: Point;
  size?: Point | null;
  colour?: string | null;
}

export interface Note {
  text?: string;
  position: Point;
  size?: Point | null;
  colour?: string | null;
}

export interface View {
  x: number;
  y: number;
  zoom: number;
}

/** What only the editor needs. */
export interface Layout {
  nodes?: Record<string, Box>;
  groups?: Group[];
  notes?: Note[];
  /** Points that a wire is led through, by the input it ends at: `node.input`, or `node.input.1` of one that grows. */
  wires?: Record<string, Point[]>;
  view?: View;
}

export interface WorkflowNode {
  type: string;
  version?: number | null;
  title?: string | null;
  mode?: Mode;
  inputs?: Record<string, InputValue>;
  /** Key of a cached result to use while it is still there. */
  frozen?: string | null;
}

/** An input of a subgraph and the inner inputs (`node.input`) that it sets. */
export interface SubgraphInput {
  name: string;
  to: string[];
}

export interface SubgraphOutput {
  name: string;
  from: string;
}

/** Nodes and their layout: the workflow's top level or the inside of a subgraph. */
export interface Scope {
  nodes: Record<string, WorkflowNode>;
  layout?: Layout | null;
}

/** A definition; an instance is a node of type `subgraph:<id>`. */
export interface Subgraph extends Scope {
  name?: string | null;
  inputs: SubgraphInput[];
  outputs: SubgraphOutput[];
}

/** The form view: which inputs people see, and which nodes' pictures. */
export interface Form {
  inputs: string[];
  outputs: string[];
  title?: string | null;
  help?: string | null;
  /** What an input is called on the page, by its entry in `inputs`; else its own name. */
  labels?: Record<string, string>;
  /** The words under it; else the help of the node's schema. */
  hints?: Record<string, string>;
}

export interface Workflow extends Scope {
  darkroom: 1;
  name?: string | null;
  description?: string | null;
  origin?: "darkroom" | "comfyui";
  subgraphs?: Record<string, Subgraph>;
  form?: Form | null;
}

export const EMPTY_WORKFLOW: Workflow = { darkroom: 1, nodes: {} };
