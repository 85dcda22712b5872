/** A node on the canvas: its header, ports, widgets, and what it made. */

import { NodeResizeControl } from "@xyflow/react";
import { type CSSProperties, memo, type ReactNode } from "react";
import { here } from "../app/actions";
import { useCatalogueState } from "../app/catalogue";
import { type NodeRun, useProblems, useRun } from "../app/run";
import { useTab } from "../app/store";
import { openMenu } from "../app/ui";
import { MIN_WIDTH, type Problem, type Subgraph, snap } from "../document";
import { classes } from "../theme";
import { Foot } from "./Foot";
import { Header } from "./Header";
import { nodeMenu } from "./menus";
import { InputDot, OutputDot } from "./Port";
import type { SceneNode } from "./scene";
import { useReal } from "./stillness";
import { WidgetRows } from "./WidgetRows";

interface GraphNodeProps {
  data: { item: SceneNode };
  selected?: boolean;
}

export const GraphNode = memo(function GraphNode({ data: { item }, selected = false }: GraphNodeProps) {
  const { id, node, box, schema, plan } = item;
  const runId = useRunId(id);
  const run = useRun((state) => state.nodes[runId]);
  const problems = useNodeProblems(runId);
  const promoted = usePromoted(id);
  const real = useReal();
  const confirmed = useCatalogueState((state) => state.confirmed);
  const mode = node.mode ?? "run";
  const look = classes(
    "node",
    selected && "node-selected",
    mode !== "run" && `node-${mode}`,
    box?.collapsed && "node-collapsed",
    node.frozen && "node-frozen",
    !schema && (confirmed ? "node-unknown" : "node-awaited"),
    run && `node-is-${run.status}`,
    problems.length > 0 && "node-troubled",
    box?.colour && "node-coloured",
  );
  const collapsed = box?.collapsed ?? false;
  return (
    <article
      className={look}
      aria-label={`${titleOf(item)}${run ? `, ${inWords(run)}` : ""}`}
      style={{ width: plan.width, minHeight: plan.height, ...coloured(box?.colour) }}
      onContextMenu={(event) => {
        event.preventDefault();
        event.stopPropagation();
        selectForMenu(id);
        openMenu(titleOf(item), { x: event.clientX, y: event.clientY }, nodeMenu(item, runId));
      }}
    >
      <Header item={item} run={run} problems={problems} runId={runId} selected={selected} />
      {collapsed ? (
        <CollapsedPorts item={item} />
      ) : (
        <>
          <div className="node-body" style={{ height: plan.bodyEnd - 32 }}>
            {!schema && (
              <p className="node-missing">{confirmed ? `Unknown type: ${node.type}` : "The nodes are being read…"}</p>
            )}
          </div>
          {plan.inputs.map((port) => (
            <InputDot
              key={port.id}
              node={id}
              port={port}
              bare={port.schema.widget !== null}
              promoted={promoted.inputs.get(port.id)}
              troubled={problems.some((problem) => problem.input === port.schema.name || problem.input === port.id)}
            />
          ))}
          {plan.outputs.map((port) => (
            <OutputDot key={port.id} item={item} port={port} promoted={promoted.outputs.get(port.id)} />
          ))}
          <WidgetRows item={item} problems={problems} promoted={promoted.inputs} real={real} />
          <Foot item={item} runId={runId} problems={problems} />
          <ResizeCorner id={id} />
        </>
      )}
    </article>
  );
});

export function titleOf(item: Pick<SceneNode, "node" | "schema">): string {
  return item.node.title || item.schema?.title || item.node.type;
}

/** A colour of the user's own, for the style sheet to mix. */
export function coloured(colour: string | null | undefined): CSSProperties {
  return colour ? ({ "--own": colour } as CSSProperties) : {};
}

function inWords(run: NodeRun): string {
  if (run.status === "running" && run.total) return `running, step ${run.step ?? 0} of ${run.total}`;
  return run.status;
}

/** The context menu of a node that is not selected is about that node alone. */
function selectForMenu(id: string): void {
  const { tab } = here();
  if (!tab.selection.nodes.has(id)) tab.select({ nodes: new Set([id]) });
}

/** The id that runs call a node by: through which instances it was reached. */
export function useRunId(id: string): string {
  return useTab((tab) => (tab.path.length === 0 ? id : [...tab.path.map((step) => step.node), id].join(":")));
}

const NONE: readonly Problem[] = [];
const sorted = new WeakMap<readonly Problem[], Map<string, Problem[]>>();

/** What is wrong with one node; the same list as long as it stays so. */
function useNodeProblems(runId: string): readonly Problem[] {
  const problems = useProblems();
  if (problems.length === 0) return NONE;
  let byNode = sorted.get(problems);
  if (!byNode) {
    byNode = new Map();
    for (const problem of problems) {
      if (problem.node) byNode.set(problem.node, [...(byNode.get(problem.node) ?? []), problem]);
    }
    sorted.set(problems, byNode);
  }
  return byNode.get(runId) ?? NONE;
}

interface Promoted {
  inputs: ReadonlyMap<string, string>;
  outputs: ReadonlyMap<string, string>;
}

const NOTHING_PROMOTED: Promoted = { inputs: new Map(), outputs: new Map() };
const promotedOf = new WeakMap<Subgraph, Map<string, Promoted>>();

/** Under which names the subgraph on show lets a node's inputs and outputs be seen from outside. */
function usePromoted(id: string): Promoted {
  const subgraph = useTab((tab) => {
    const last = tab.path.at(-1);
    return last && tab.document.subgraphs?.[last.subgraph];
  });
  if (!subgraph) return NOTHING_PROMOTED;
  let byNode = promotedOf.get(subgraph);
  if (!byNode) {
    byNode = new Map();
    promotedOf.set(subgraph, byNode);
  }
  let promoted = byNode.get(id);
  if (!promoted) {
    const stem = `${id}.`;
    const inputs = subgraph.inputs.flatMap(({ name, to }) =>
      to.filter((end) => end.startsWith(stem)).map((end) => [end.slice(stem.length), name] as const),
    );
    const outputs = subgraph.outputs
      .filter(({ from }) => from.startsWith(stem))
      .map(({ from, name }) => [from.slice(stem.length), name] as const);
    promoted = { inputs: new Map(inputs), outputs: new Map(outputs) };
    byNode.set(id, promoted);
  }
  return promoted;
}

function CollapsedPorts({ item }: { item: SceneNode }): ReactNode {
  const { plan } = item;
  return (
    <>
      {plan.inputs.some((port) => port.linked) && <span className="port-stub port-stub-in" />}
      {plan.outputs.length > 0 && <span className="port-stub port-stub-out" />}
    </>
  );
}

function ResizeCorner({ id }: { id: string }) {
  return (
    <NodeResizeControl
      className="node-resize"
      position="bottom-right"
      minWidth={MIN_WIDTH}
      minHeight={64}
      onResize={(_, { width, height }) => {
        const { tab, inside } = here();
        tab.dispatch({ type: "resizeNode", ...inside, node: id, size: [snap(width), snap(height)] }, `resize ${id}`);
      }}
      onResizeEnd={() => here().tab.endDeed()}
    >
      <span aria-hidden="true" />
    </NodeResizeControl>
  );
}
