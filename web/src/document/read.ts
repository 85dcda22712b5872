/** Taking in a document from outside: a file, the server, another tab. */

import { isLink } from "./links";
import { withoutKeys } from "./objects";
import type { Catalogue } from "./schema";
import type { InputValue, Scope, Subgraph, Workflow, WorkflowNode } from "./types";

/**
 * The document in a JSON value. What its shape leaves open (no subgraph inputs, no form outputs) is filled in.
 *
 * @throws Error with a sentence for the user when it is not a Darkroom workflow.
 */
export function readWorkflow(json: unknown): Workflow {
  if (!isObject(json)) throw new Error("This is not a workflow: a JSON object was expected.");
  if (json.darkroom !== 1) {
    throw new Error('This is not a Darkroom workflow of version 1: "darkroom": 1 is missing.');
  }
  const workflow = { ...(json as unknown as Workflow), nodes: readNodes(json.nodes, "the workflow") };
  if (isObject(workflow.subgraphs)) {
    workflow.subgraphs = Object.fromEntries(
      Object.entries(workflow.subgraphs).map(([id, each]) => [id, readSubgraph(id, each)]),
    );
  }
  if (isObject(workflow.form)) {
    const form = workflow.form;
    workflow.form = { ...form, inputs: form.inputs ?? [], outputs: form.outputs ?? [] };
  }
  return workflow;
}

function readSubgraph(id: string, json: Subgraph): Subgraph {
  const where = `the subgraph '${id}'`;
  if (!isObject(json)) throw new Error(`This workflow is damaged: ${where} is not an object.`);
  const inputs = (json.inputs ?? []).map((input) => ({ ...input, to: input.to ?? [] }));
  return { ...json, nodes: readNodes(json.nodes ?? {}, where), inputs, outputs: json.outputs ?? [] };
}

function readNodes(json: unknown, where: string): Record<string, WorkflowNode> {
  if (!isObject(json)) throw new Error(`This workflow is damaged: the nodes of ${where} are not an object.`);
  for (const [id, node] of Object.entries(json)) {
    if (!isObject(node) || typeof node.type !== "string") {
      throw new Error(`This workflow is damaged: the node '${id}' of ${where} has no type.`);
    }
  }
  return json as unknown as Record<string, WorkflowNode>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The document with places of growing inputs (`images.0`, `images.1`) folded into lists where all of them are links. */
export function foldGrowing(document: Workflow, catalogue: Catalogue): Workflow {
  const fold = <S extends Scope>(scope: S): S => ({
    ...scope,
    nodes: Object.fromEntries(Object.entries(scope.nodes).map(([id, node]) => [id, foldNode(node, catalogue)])),
  });
  if (!document.subgraphs) return fold(document);
  // Places inside a subgraph may be promoted one by one, so they stay as they are.
  return { ...fold(document), subgraphs: document.subgraphs };
}

function foldNode(node: WorkflowNode, catalogue: Catalogue): WorkflowNode {
  const growing = catalogue.get(node.type)?.inputs.filter((input) => input.variadic) ?? [];
  return growing.reduce((now, { name }) => foldInput(now, name), node);
}

function foldInput(node: WorkflowNode, name: string): WorkflowNode {
  const inputs = node.inputs ?? {};
  const places: string[] = [];
  while (Object.hasOwn(inputs, `${name}.${places.length}`)) places.push(`${name}.${places.length}`);
  const links = places.flatMap((key) => (isLink(inputs[key]) ? [inputs[key]] : []));
  if (places.length === 0 || links.length < places.length || Object.hasOwn(inputs, name)) return node;
  const folded: Record<string, InputValue> = { ...withoutKeys(inputs, new Set(places)), [name]: links };
  return { ...node, inputs: folded };
}
