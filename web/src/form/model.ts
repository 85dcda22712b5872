/** What stands on the page of a form: the fields in their order, and a sensible page where nobody made one. Pure. */

import {
  type Catalogue,
  catalogueOf,
  type Form,
  type InputSchema,
  type JsonValue,
  linksOf,
  literalOf,
  readEnd,
  readLink,
  type SeedMode,
  type Workflow,
  type WorkflowNode,
} from "../document";

export interface Field {
  /** `node.input`, as the form lists it. */
  entry: string;
  node: string;
  schema: InputSchema;
  /** Undefined: not set, the default holds. */
  value: JsonValue | undefined;
  label: string;
  hint: string;
  seedMode: SeedMode;
}

/** The fields of a form. Entries that lead to nothing, or to an input that a wire feeds, are left out. */
export function fieldsOf(document: Workflow, form: Form, catalogue: Catalogue): Field[] {
  const all = catalogueOf(document, catalogue);
  const found = form.inputs.flatMap((entry) => fieldOf(document, entry, all) ?? []);
  return found.map((field) => ({
    ...field,
    label: form.labels?.[field.entry] || labelOf(field, found, document, all),
    hint: form.hints?.[field.entry] ?? field.schema.help,
  }));
}

/** Everything that could be on the page: every input with a widget that no wire feeds, node after node. */
export function candidates(document: Workflow, catalogue: Catalogue): Field[] {
  const all = catalogueOf(document, catalogue);
  const entries = Object.entries(document.nodes).flatMap(([node, { type }]) =>
    (all.get(type)?.inputs ?? []).map((input) => `${node}.${input.name}`),
  );
  return fieldsOf(document, { inputs: entries, outputs: [] }, catalogue);
}

/** The nodes whose results can be shown: those that show or save something. */
export function resultNodes(document: Workflow, catalogue: Catalogue): string[] {
  const all = catalogueOf(document, catalogue);
  return Object.keys(document.nodes).filter((id) => all.get(document.nodes[id]?.type ?? "")?.output === true);
}

/** The form of a document, or one that fits most graphs: pictures, prompts, size and seed. */
export function formOf(document: Workflow, catalogue: Catalogue): Form {
  if (document.form && document.form.inputs.length > 0) return document.form;
  const prompts = promptOrder(document);
  const ranked = candidates(document, catalogue)
    .map((field) => ({ field, rank: rankOf(field, prompts) }))
    .filter(({ rank }) => rank !== null)
    .sort((one, other) => (one.rank ?? 0) - (other.rank ?? 0));
  return {
    ...document.form,
    inputs: ranked.map(({ field }) => field.entry),
    outputs: resultNodes(document, catalogue),
  };
}

/** Whether anything takes what comes out of a node there. */
export function isLinked(document: Workflow, node: string, output: string): boolean {
  return Object.values(document.nodes).some((other) =>
    Object.values(other.inputs ?? {}).some((value) =>
      linksOf(value).some((link) => readLink(link).node === node && readLink(link).output === output),
    ),
  );
}

/** Whether a field still holds what the template came with, in a tab that nobody has saved. */
export function isExample(tab: { saved: unknown; document: Workflow; savedDocument: Workflow }, field: Field): boolean {
  const { node, schema } = field;
  const value = literalOf(tab.savedDocument.nodes[node]?.inputs?.[schema.name]);
  return !tab.saved && typeof value === "string" && value !== "" && value === field.value;
}

/** The picture that a result can be held against: the first on the page, of the user's or drawn. */
export function pictureAsked(fields: readonly Field[]): string | null {
  const field = fields.find(({ schema }) => schema.folder === "input" && schema.widget !== null);
  return typeof field?.value === "string" && field.value !== "" ? field.value : null;
}

/** What a node is called: its title, or a speaking id, or its type. */
export function nodeName(document: Workflow, id: string, catalogue: Catalogue): string {
  const node = document.nodes[id];
  if (node?.title) return node.title;
  if (/[a-z]{3}/i.test(id)) return capitalised(id.replaceAll(/[_-]+/g, " "));
  return catalogue.get(node?.type ?? "")?.title ?? id;
}

function fieldOf(document: Workflow, entry: string, catalogue: Catalogue): Field | null {
  const { node: id, name } = readEnd(entry);
  const node: WorkflowNode | undefined = Object.hasOwn(document.nodes, id) ? document.nodes[id] : undefined;
  const schema = catalogue.get(node?.type ?? "")?.inputs.find((input) => input.name === name);
  const value = node?.inputs?.[name];
  if (!node || !schema || schema.widget === null || linksOf(value).length > 0) return null;
  const seedMode = document.layout?.nodes?.[id]?.seeds?.[name] ?? "fixed";
  return { entry, node: id, schema, value: literalOf(value), label: name, hint: "", seedMode };
}

/** A prompt bears its node's name; other inputs their own, with the node's where two would be called the same. */
function labelOf(field: Field, all: readonly Field[], document: Workflow, catalogue: Catalogue): string {
  const node = nodeName(document, field.node, catalogue);
  if (field.schema.widget === "multiline") return node;
  const own = capitalised(field.schema.name.replaceAll("_", " "));
  const alone = all.filter((each) => each.schema.name === field.schema.name).length === 1;
  return alone ? own : `${node}: ${own.toLowerCase()}`;
}

/** Nodes that something links to as `positive` come before those linked as `negative`. */
function promptOrder(document: Workflow): Map<string, number> {
  const order = new Map<string, number>();
  for (const node of Object.values(document.nodes)) {
    for (const [input, value] of Object.entries(node.inputs ?? {})) {
      const rank = input.startsWith("positive") ? 0 : input.startsWith("negative") ? 1 : null;
      if (rank !== null) for (const link of linksOf(value)) order.set(readLink(link).node, rank);
    }
  }
  return order;
}

const SIZES = ["width", "height", "batch_size"];

/** Where a field goes on the page that nobody made; null where it does not. */
function rankOf({ schema, node }: Field, prompts: ReadonlyMap<string, number>): number | null {
  if (schema.widget === "file" && schema.folder === "input") return 0;
  if (schema.widget === "multiline") return 10 + (prompts.get(node) ?? 0.5);
  if (SIZES.includes(schema.name)) return 20 + SIZES.indexOf(schema.name);
  return schema.widget === "seed" ? 30 : null;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
