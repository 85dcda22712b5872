/** What travels along wires measures, as the run on show told. */

import { useRun } from "../app/run";
import { type OutputEnd, outputSchema } from "../document";
import { useRunId } from "./GraphNode";
import type { SceneNode } from "./scene";

/** The shape at an output, such as `1×256×256×3`; undefined while it is not known. */
export function useShape(node: SceneNode | undefined, output: OutputEnd["output"]): string | undefined {
  const runId = useRunId(node?.id ?? "");
  return useRun((run) => shapeAt(run.nodes[runId]?.shapes, node, output));
}

function shapeAt(
  shapes: readonly string[] | undefined,
  node: SceneNode | undefined,
  output: OutputEnd["output"],
): string | undefined {
  const port = outputSchema(node?.schema, output);
  const index = port ? (node?.schema?.outputs.indexOf(port) ?? -1) : -1;
  return shapes?.[index]?.replaceAll("x", "×") || undefined;
}
