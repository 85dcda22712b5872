/**
 * Every edit of a document, as data. `reduce.ts` carries them out and gives each one's inverse.
 *
 * `in` names the subgraph whose inside is edited; without it the top level is.
 */

import type { Patch } from "./patch";
import type {
  Box,
  Form,
  Group,
  InputValue,
  Mode,
  Note,
  Point,
  Subgraph,
  SubgraphInput,
  SubgraphOutput,
  Workflow,
  WorkflowNode,
} from "./types";

/** One end of a wire at a node's output. */
export interface OutputEnd {
  node: string;
  output: string | number;
}

/** One end of a wire at a node's input; `index` is the place in an input that grows. */
export interface InputEnd {
  node: string;
  input: string;
  index?: number;
}

export type NodeChange =
  | {
      type: "addNodes";
      in?: string;
      nodes: Record<string, WorkflowNode>;
      boxes?: Record<string, Box>;
      wires?: Record<string, Point[]>;
      groups?: Group[];
      notes?: Note[];
    }
  /** Takes the nodes away with every link, reroute point and form entry that speaks of them. */
  | { type: "removeNodes"; in?: string; nodes: string[] }
  | { type: "renameNode"; in?: string; node: string; to: string }
  /** A literal; undefined takes the entry away, so that the default holds. */
  | { type: "setInput"; in?: string; node: string; input: string; value: InputValue | undefined }
  | { type: "setTitle"; in?: string; node: string; title: string | null }
  | { type: "setMode"; in?: string; nodes: string[]; mode: Mode }
  /** The cache key of the result to hold on to; null lets go. */
  | { type: "freeze"; in?: string; node: string; key: string | null }
  /** Collapse, colour, seed modes: entries set to undefined are taken away. */
  | { type: "editBoxes"; in?: string; nodes: string[]; patch: Partial<Omit<Box, "position">> };

export type WireChange =
  /** `grows`: the input takes several links; without an index the link is put at the end. */
  | { type: "connect"; in?: string; from: OutputEnd; to: InputEnd; grows?: boolean }
  | { type: "disconnect"; in?: string; to: InputEnd }
  | { type: "setWirePoints"; in?: string; to: InputEnd; points: Point[] };

export type CanvasChange =
  | {
      type: "move";
      in?: string;
      nodes?: Record<string, Point>;
      groups?: Record<number, Point>;
      notes?: Record<number, Point>;
      /** All points of the wire, by its key. */
      wires?: Record<string, Point[]>;
    }
  | { type: "resizeNode"; in?: string; node: string; size: Point | null; position?: Point }
  | { type: "addGroup"; in?: string; group: Group }
  | { type: "editGroup"; in?: string; index: number; patch: Partial<Group> }
  | { type: "addNote"; in?: string; note: Note }
  | { type: "editNote"; in?: string; index: number; patch: Partial<Note> }
  | { type: "removeMarks"; in?: string; groups?: number[]; notes?: number[] };

export type SubgraphChange =
  /** Puts nodes of one scope into a new subgraph `id` and the node `instance` in their place. */
  | { type: "makeSubgraph"; in?: string; nodes: string[]; id: string; name: string; instance: string }
  /** Puts a copy of the inside in the instance's place. */
  | { type: "unpackSubgraph"; in?: string; node: string }
  | {
      type: "editSubgraph";
      id: string;
      patch: { name?: string; inputs?: SubgraphInput[]; outputs?: SubgraphOutput[] };
    }
  | { type: "addSubgraphs"; subgraphs: Record<string, Subgraph> }
  | { type: "removeSubgraph"; id: string };

export type DocumentChange =
  | { type: "setForm"; form: Form | null }
  | { type: "setProperties"; patch: { name?: string | null; description?: string | null } }
  | { type: "replace"; document: Workflow }
  /** What `apply` gives as an inverse. */
  | { type: "patch"; patch: Patch };

export type Change = NodeChange | WireChange | CanvasChange | SubgraphChange | DocumentChange;
