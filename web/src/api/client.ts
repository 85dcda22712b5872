/** The server's API, one function a route. Every function throws `ApiError`. */

import type { Workflow } from "../document/types";
import type {
  CatalogueAnswer,
  ConvertedWorkflow,
  DraftSummary,
  DraftWish,
  FileRef,
  Job,
  JobDetail,
  JobPage,
  Metadata,
  OutputPage,
  Plan,
  Problem,
  QueueState,
  StoredPicture,
  StoredWorkflow,
  Submit,
  SystemReport,
  TemplateSummary,
  UserSettings,
  WireEvent,
  WorkflowSummary,
  WorkflowVersion,
} from "./answers";
import type { JsonValue } from "./json";
import { type Fetch, type Request, Transport } from "./transport";

/** How a save tells the server what it believes is there: a version, or nothing yet (`new`). */
export type SaveOver = { version: string } | "new";

export class Client {
  readonly transport: Transport;
  private etag: string | null = null;
  private catalogue: CatalogueAnswer | undefined;

  constructor(fetch: Fetch = (input, init) => globalThis.fetch(input, init), base = "") {
    this.transport = new Transport(fetch, base);
  }

  /** What the server calls the catalogue that `nodes` gave last. */
  get catalogueEtag(): string | null {
    return this.etag;
  }

  // Nodes and graphs

  /** All node schemas; answered from what was last received while the server says that it is unchanged. */
  async nodes(): Promise<CatalogueAnswer> {
    const headers: Record<string, string> = this.catalogue && this.etag ? { "If-None-Match": this.etag } : {};
    const answer = await this.transport.ask("/v1/nodes", { headers });
    if (answer.status === 304 && this.catalogue) return this.catalogue;
    this.etag = answer.headers.get("ETag");
    this.catalogue = answer.json as unknown as CatalogueAnswer;
    return this.catalogue;
  }

  async folder(folder: string): Promise<string[]> {
    return (await this.get<{ names: string[] }>(`/v1/folders/${encodeURIComponent(folder)}`)).names;
  }

  /** What the header of a model's file says about it. @throws ApiError 404 when it says nothing */
  modelMetadata(folder: string, filename: string): Promise<Record<string, string>> {
    return this.get(`/view_metadata/${encodeURIComponent(folder)}`, { filename });
  }

  async validate(workflow: Workflow, outputs?: string[], signal?: AbortSignal): Promise<Problem[]> {
    const answer = await this.post<{ problems: Problem[] }>("/v1/validate", { workflow, outputs }, { signal });
    return answer.problems;
  }

  plan(workflow: Workflow, outputs?: string[]): Promise<Plan> {
    return this.post("/v1/plan", { workflow, outputs });
  }

  /** Read a workflow of any format (ComfyUI's two, our own, or a picture that carries one). */
  convert(source: string | Blob): Promise<ConvertedWorkflow> {
    const type = typeof source === "string" ? "application/json" : source.type || "application/octet-stream";
    return this.post("/v1/convert", undefined, { body: source, headers: { "Content-Type": type } });
  }

  /** The workflow in ComfyUI's API format. */
  async export(workflow: Workflow): Promise<JsonValue> {
    return (await this.post<{ prompt: JsonValue }>("/v1/export", { workflow })).prompt;
  }

  // Jobs

  async submit(submit: Submit, idempotencyKey: string): Promise<Job[]> {
    const headers = { "Idempotency-Key": idempotencyKey };
    return (await this.post<{ jobs: Job[] }>("/v1/jobs", submit, { headers })).jobs;
  }

  jobs(query: { status?: string; limit?: number; offset?: number; q?: string } = {}): Promise<JobPage> {
    return this.get("/v1/jobs", query);
  }

  job(id: string): Promise<JobDetail> {
    return this.get(`/v1/jobs/${encodeURIComponent(id)}`);
  }

  /** A job's events that the log still has. */
  async jobEvents(id: string, after = 0): Promise<WireEvent[]> {
    return (await this.get<{ events: WireEvent[] }>(`/v1/jobs/${encodeURIComponent(id)}/events`, { after })).events;
  }

  cancel(id: string): Promise<unknown> {
    return this.post(`/v1/jobs/${encodeURIComponent(id)}/cancel`);
  }

  cancelAll(): Promise<unknown> {
    return this.post("/v1/jobs/cancel", { ids: null });
  }

  retry(id: string): Promise<unknown> {
    return this.post(`/v1/jobs/${encodeURIComponent(id)}/retry`);
  }

  /** Move a waiting job in front of another, or (null) to the end. */
  move(id: string, before: string | null): Promise<unknown> {
    return this.post(`/v1/jobs/${encodeURIComponent(id)}/move`, { before });
  }

  moveToFront(id: string): Promise<unknown> {
    return this.post(`/v1/jobs/${encodeURIComponent(id)}/move`, { front: true });
  }

  deleteJob(id: string): Promise<unknown> {
    return this.delete(`/v1/jobs/${encodeURIComponent(id)}`);
  }

  clear(what: "queued" | "finished"): Promise<unknown> {
    return this.post("/v1/jobs/clear", { what });
  }

  queue(): Promise<QueueState> {
    return this.get("/v1/queue");
  }

  pause(paused: boolean): Promise<QueueState> {
    return this.patch("/v1/queue", { paused });
  }

  // Files

  fileUrl(file: FileRef, thumbnail?: number): string {
    const path = [file.subfolder, file.filename].filter(Boolean).join("/");
    return this.transport.url(`/v1/files/${file.type}/${encodePath(path)}`, { thumbnail, v: file.modified });
  }

  outputs(query: { limit?: number; offset?: number; q?: string } = {}): Promise<OutputPage> {
    return this.get("/v1/outputs", query);
  }

  deleteOutput(file: FileRef): Promise<unknown> {
    const path = [file.subfolder, file.filename].filter(Boolean).join("/");
    return this.delete(`/v1/files/output/${encodePath(path)}`);
  }

  metadata(file: FileRef): Promise<Metadata> {
    const path = [file.subfolder, file.filename].filter(Boolean).join("/");
    return this.get(`/v1/metadata/${file.type}/${encodePath(path)}`);
  }

  async upload(file: Blob, name: string, folder = "input"): Promise<StoredPicture> {
    const form = new FormData();
    form.append("folder", folder);
    form.append("file", file, name);
    return this.post("/v1/uploads", undefined, { body: form });
  }

  /**
   * Store a copy of the picture `original` with a mask: a PNG of its size, transparent where it is to be repainted.
   */
  async uploadMask(mask: Blob, original: FileRef): Promise<FileRef> {
    const form = new FormData();
    form.append("original", JSON.stringify(original));
    form.append("file", mask, maskedName(original.filename));
    return this.post("/v1/uploads/mask", undefined, { body: form });
  }

  // Workflows on the server

  workflows(): Promise<WorkflowSummary[]> {
    return this.get("/v1/workflows");
  }

  workflow(name: string): Promise<StoredWorkflow> {
    return this.get(`/v1/workflows/${encodePath(name)}`);
  }

  /** Save; a stale save throws an ApiError whose `details.current` is what is there now. */
  async save(name: string, workflow: Workflow, over: SaveOver): Promise<string> {
    const headers: Record<string, string> =
      over === "new" ? { "If-None-Match": "*" } : { "If-Match": `"${over.version}"` };
    const request: Request = { method: "PUT", json: { workflow }, headers };
    const answer = await this.transport.ask(`/v1/workflows/${encodePath(name)}`, request);
    return String((answer.json as { version: string | number }).version);
  }

  deleteWorkflow(name: string): Promise<unknown> {
    return this.delete(`/v1/workflows/${encodePath(name)}`);
  }

  renameWorkflow(name: string, to: string): Promise<WorkflowSummary> {
    return this.post(`/v1/workflows/${encodePath(name)}/rename`, { to });
  }

  versions(name: string): Promise<WorkflowVersion[]> {
    return this.get(`/v1/workflows/${encodePath(name)}/versions`);
  }

  version(name: string, version: string): Promise<StoredWorkflow> {
    return this.get(`/v1/workflows/${encodePath(name)}/versions/${encodeURIComponent(version)}`);
  }

  drafts(): Promise<DraftSummary[]> {
    return this.get("/v1/drafts");
  }

  /** Keep an unsaved tab. With `leaving`, the request goes out even though the page is closing. */
  putDraft(id: string, draft: DraftWish, leaving = false): Promise<unknown> {
    const path = `/v1/drafts/${encodeURIComponent(id)}`;
    return this.transport.ask(path, { method: "PUT", json: draft, keepalive: leaving });
  }

  deleteDraft(id: string): Promise<unknown> {
    return this.delete(`/v1/drafts/${encodeURIComponent(id)}`);
  }

  templates(): Promise<TemplateSummary[]> {
    return this.get("/v1/templates");
  }

  template(name: string): Promise<Workflow> {
    return this.get(`/v1/templates/${encodeURIComponent(name)}`);
  }

  // The rest

  settings(): Promise<UserSettings> {
    return this.get("/v1/settings");
  }

  changeSettings(change: Partial<UserSettings> & Record<string, JsonValue>): Promise<UserSettings> {
    return this.patch("/v1/settings", change);
  }

  system(): Promise<SystemReport> {
    return this.get("/v1/system");
  }

  free(what: { unload_models?: boolean; free_memory?: boolean }): Promise<unknown> {
    return this.post("/v1/free", what);
  }

  /** Have plugins read anew, when running jobs are done. */
  reloadNodes(): Promise<unknown> {
    return this.post("/v1/nodes/reload");
  }

  private get<T>(path: string, query?: Request["query"]): Promise<T> {
    return this.read<T>(path, query ? { query } : {});
  }

  private post<T>(path: string, json?: unknown, more: Request = {}): Promise<T> {
    return this.read<T>(path, { method: "POST", json, ...more });
  }

  private patch<T>(path: string, json: unknown): Promise<T> {
    return this.read<T>(path, { method: "PATCH", json });
  }

  private delete<T>(path: string): Promise<T> {
    return this.read<T>(path, { method: "DELETE" });
  }

  private async read<T>(path: string, request: Request): Promise<T> {
    return (await this.transport.ask(path, request)).json as T;
  }
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** `anna.png` with a mask is `anna-masked.png`, also when it had one before. */
function maskedName(name: string): string {
  return `${name.replace(/\.[^.]*$/, "").replace(/-masked.*$/, "")}-masked.png`;
}
