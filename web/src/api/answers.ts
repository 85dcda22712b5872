/** What the server sends and takes, by the names that the editor has for it, and with documents as documents. */

import type { Workflow } from "../document/types";
import type { Converted, Draft, Event, Job, KeepDraft, NewJobs, Output, SavedWorkflow } from "./types";

export type {
  Entry as WorkflowSummary,
  Entry as WorkflowVersion,
  Job,
  JobDetail,
  JobPage,
  NodeSchema,
  Nodes as CatalogueAnswer,
  Output as OutputFile,
  Outputs as OutputPage,
  PictureMetadata as Metadata,
  Plan,
  PluginState as PluginSummary,
  Preferences as UserSettings,
  Problem,
  QueueState,
  StoredPicture,
  System as SystemReport,
  TemplateEntry as TemplateSummary,
} from "./types";

export type WireEvent = Event;
export type Status = Job["status"];

/** A picture on the server; `type` is the folder it lies in. */
export interface FileRef {
  filename: string;
  subfolder: string;
  type: string;
  width?: Output["width"];
  height?: Output["height"];
  /** When it was written, in seconds since 1970: what is fetched with it need never be asked for again. */
  modified?: number;
}

export type StoredWorkflow = Omit<SavedWorkflow, "workflow"> & { workflow: Workflow };
export type DraftSummary = Omit<Draft, "workflow"> & { workflow: Workflow };
export type DraftWish = Omit<KeepDraft, "workflow"> & { workflow: Workflow };
export type ConvertedWorkflow = Omit<Converted, "workflow"> & { workflow: Workflow };
export type Submit = Omit<NewJobs, "workflow" | "prompt"> & { workflow: Workflow };
