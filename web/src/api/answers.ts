/** Shapes of answers and wishes that have no model of their own on the server. */

import type { Workflow } from "../document/types";
import type { JsonValue } from "./json";
import type { Job, Sweep } from "./types";

export type { Job, JobDetail, NodeSchema, PluginState as PluginSummary, Problem, WireEvent } from "./types";
export type Status = Job["status"];

/** A picture on the server; `type` is the folder it lies in. */
export interface FileRef {
  filename: string;
  subfolder: string;
  type: string;
  width?: number;
  height?: number;
}

export interface OutputFile extends FileRef {
  size: number;
  /** Seconds since 1970. */
  modified: number;
  job?: string | null;
  node?: string | null;
}

export interface OutputPage {
  files: OutputFile[];
  total: number;
}

export interface JobPage {
  jobs: Job[];
  total: number;
}

export interface QueueState {
  paused: boolean;
  queued: number;
  running: number;
}

export interface Plan {
  runs: string[];
  cached: string[];
}

export interface Submit {
  workflow: Workflow;
  settings?: Record<string, JsonValue>;
  outputs?: string[];
  client?: string;
  name?: string;
  front?: boolean;
  sweep?: Sweep;
}

export interface Metadata {
  workflow?: JsonValue;
  prompt?: JsonValue;
  width: number;
  height: number;
}

export interface WorkflowSummary {
  name: string;
  version: string;
  modified: number;
  size: number;
}

export interface WorkflowVersion {
  version: string;
  modified: number;
  size: number;
}

export interface DraftSummary {
  id: string;
  workflow: Workflow;
  /** The saved workflow it began as. */
  base?: { name: string; version: string } | null;
  title?: string | null;
  modified?: number;
}

export interface TemplateSummary {
  name: string;
  title: string;
  description: string;
  category?: string;
  nodes?: number;
  thumbnail?: string | null;
}

export type UserSettings = Record<string, JsonValue>;
export type SystemReport = Record<string, JsonValue>;
