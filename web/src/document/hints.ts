/** What is plainly wrong with a workflow, told while it is edited. The engine has the last word. */

import { linksOf, readLink } from "./links";
import { catalogueOf, inputSchema, outputSchema, typesFit } from "./ports";
import type { Catalogue, InputSchema, NodeSchema, Problem } from "./schema";
import type { InputValue, Scope, Subgraph, Workflow, WorkflowNode } from "./types";

/** The problems of the top level, and of a subgraph when `id` is given. Muted and bypassed nodes have none. */
export function hintsOf(document: Workflow, catalogue: Catalogue, id?: string): Problem[] {
  const scope: Scope | undefined = id === undefined ? document : document.subgraphs?.[id];
  if (!scope || catalogue.size === 0) return [];
  const all = catalogueOf(document, catalogue);
  const promoted = new Set(id === undefined ? [] : (scope as Subgraph).inputs.flatMap((input) => input.to));
  return Object.entries(scope.nodes).flatMap(([node, each]) =>
    (each.mode ?? "run") === "run" ? ofNode(scope, all, node, each, promoted) : [],
  );
}

function ofNode(
  scope: Scope,
  catalogue: Catalogue,
  id: string,
  node: WorkflowNode,
  promoted: ReadonlySet<string>,
): Problem[] {
  const schema = catalogue.get(node.type);
  if (!schema) {
    return [
      {
        code: "unknown_node",
        message: `There is no node type '${node.type}'.`,
        node: id,
        fix: "install the plugin that has it, or remove the node",
      },
    ];
  }
  const missing = schema.inputs.filter((input) => isMissing(node, input) && !promoted.has(`${id}.${input.name}`));
  return [
    ...missing.map((input) => missingInput(id, input)),
    ...Object.entries(node.inputs ?? {}).flatMap(([name, value]) => ofLinks(scope, catalogue, id, schema, name, value)),
  ];
}

function isMissing(node: WorkflowNode, input: InputSchema): boolean {
  if (!input.required || input.default !== null) return false;
  const inputs = node.inputs ?? {};
  if (Object.hasOwn(inputs, input.name)) return false;
  return !(input.variadic && Object.hasOwn(inputs, `${input.name}.0`));
}

function missingInput(node: string, input: InputSchema): Problem {
  return input.widget
    ? {
        code: "missing_input",
        message: `'${input.name}' has no value yet.`,
        node,
        input: input.name,
        wanted: input.type,
        fix: input.widget === "file" ? "choose a file" : "enter a value",
      }
    : {
        code: "missing_input",
        message: `'${input.name}' is not connected.`,
        node,
        input: input.name,
        wanted: input.type,
        fix: `connect an output of type ${input.type}`,
      };
}

function ofLinks(
  scope: Scope,
  catalogue: Catalogue,
  id: string,
  schema: NodeSchema,
  name: string,
  value: InputValue,
): Problem[] {
  const wanted = inputSchema(schema, name);
  return linksOf(value).flatMap((link): Problem[] => {
    const from = readLink(link);
    const source = Object.hasOwn(scope.nodes, from.node) ? scope.nodes[from.node] : undefined;
    const at = { node: id, input: name };
    if (!source) {
      return [
        {
          ...at,
          code: "dangling_link",
          message: `It is linked to '${from.node}', which does not exist.`,
          fix: "connect it anew",
        },
      ];
    }
    const sourceSchema = catalogue.get(source.type);
    if (!sourceSchema || (source.mode ?? "run") !== "run") return [];
    const output = outputSchema(sourceSchema, from.output);
    if (!output) {
      return [
        {
          ...at,
          code: "unknown_output",
          message: `'${from.node}' has no output '${from.output}'.`,
          fix: "connect it anew",
        },
      ];
    }
    if (!wanted || typesFit(output.type, wanted.type)) return [];
    const message = `It takes ${wanted.type}, but '${from.node}' gives ${output.type}.`;
    return [
      {
        ...at,
        code: "link_type",
        message,
        wanted: wanted.type,
        got: output.type,
        fix: `connect an output of type ${wanted.type}`,
      },
    ];
  });
}
