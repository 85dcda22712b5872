/**
 * What a scope looks like: its nodes, wires, groups and notes with their places, ready to draw.
 *
 * A scene is made anew for every edit from the one before: what did not change is the very same object, so that
 * nothing that did not change is drawn again.
 */

import {
  type Box,
  type Catalogue,
  type Group,
  type InputEnd,
  type NodePlan,
  type NodeSchema,
  type Note,
  type OutputEnd,
  outputSchema,
  type Point,
  planNode,
  type Scope,
  type Subgraph,
  type WorkflowNode,
  wiresInto,
} from "../document";
import { around, bounds, type Rect, type WireStyle, wirePath } from "./geometry";

export interface SceneNode {
  id: string;
  node: WorkflowNode;
  box: Box | undefined;
  schema: NodeSchema | undefined;
  plan: NodePlan;
  /** The outputs in use, for a node whose type is not known. */
  used: readonly string[];
}

export interface SceneWire {
  key: string;
  from: OutputEnd;
  to: InputEnd;
  /** The type that it carries; `*` when it is not known. */
  type: string;
  /** Its ends and the points between, from output to input. */
  points: Point[];
  path: string;
  rect: Rect;
  /** Whether it leads from or to a muted or bypassed node. */
  idle: boolean;
}

export interface Scene {
  scope: Scope;
  catalogue: Catalogue;
  style: WireStyle;
  nodes: ReadonlyMap<string, SceneNode>;
  wires: ReadonlyMap<string, SceneWire>;
  groups: readonly Group[];
  notes: readonly Note[];
}

export const GROUP_SIZE: Point = [400, 240];
export const NOTE_SIZE: Point = [240, 120];
const NO_USED: readonly string[] = [];

export function buildScene(scope: Scope, catalogue: Catalogue, style: WireStyle, before?: Scene): Scene {
  const nodes = buildNodes(scope, catalogue, before);
  const wires = buildWires(scope, nodes, style, before);
  const { groups = [], notes = [] } = scope.layout ?? {};
  return { scope, catalogue, style, nodes, wires, groups, notes };
}

function buildNodes(scope: Scope, catalogue: Catalogue, before: Scene | undefined): Map<string, SceneNode> {
  const used = usedOutputs(scope, catalogue);
  const nodes = new Map<string, SceneNode>();
  for (const [id, node] of Object.entries(scope.nodes)) {
    const box = scope.layout?.nodes?.[id];
    const schema = catalogue.get(node.type);
    const outputs = used.get(id) ?? NO_USED;
    const old = before?.nodes.get(id);
    const same =
      old && old.node === node && old.schema === schema && sameLook(old.box, box) && sameList(old.used, outputs);
    if (same) nodes.set(id, old.box === box ? old : { ...old, box });
    else nodes.set(id, { id, node, box, schema, plan: planNode(node, schema, box, outputs), used: outputs });
  }
  return nodes;
}

/** Whether two boxes give the same plan: a node that only moved keeps its. */
function sameLook(a: Box | undefined, b: Box | undefined): boolean {
  return a === b || (a?.size === b?.size && a?.collapsed === b?.collapsed);
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** Which outputs of nodes of unknown type wires start from. */
function usedOutputs(scope: Scope, catalogue: Catalogue): Map<string, string[]> {
  const used = new Map<string, string[]>();
  for (const [id, node] of Object.entries(scope.nodes)) if (!catalogue.has(node.type)) used.set(id, []);
  if (used.size === 0) return used;
  for (const [id, node] of Object.entries(scope.nodes)) {
    for (const { from } of wiresInto(id, node)) {
      const outputs = used.get(from.node);
      if (outputs && !outputs.includes(String(from.output))) outputs.push(String(from.output));
    }
  }
  return used;
}

function buildWires(
  scope: Scope,
  nodes: ReadonlyMap<string, SceneNode>,
  style: WireStyle,
  before: Scene | undefined,
): Map<string, SceneWire> {
  const wires = new Map<string, SceneWire>();
  for (const target of nodes.values()) {
    for (const { key, from, to } of wiresInto(target.id, target.node)) {
      const source = nodes.get(from.node);
      if (!source) continue;
      const start = outputPoint(source, from.output);
      const end = inputPoint(target, to);
      if (!start || !end) continue;
      const points = [start, ...(scope.layout?.wires?.[key] ?? []), end];
      const type = outputSchema(source.schema, from.output)?.type ?? "*";
      const idle =
        !!(source.node.mode ?? "run").match(/mute|bypass/) || !!(target.node.mode ?? "run").match(/mute|bypass/);
      const old = before?.wires.get(key);
      const same =
        old &&
        before?.style === style &&
        old.type === type &&
        old.idle === idle &&
        old.from.node === from.node &&
        old.from.output === from.output &&
        samePoints(old.points, points);
      if (same) wires.set(key, old);
      else wires.set(key, { key, from, to, type, points, path: wirePath(points, style), rect: bounds(points), idle });
    }
  }
  return wires;
}

function samePoints(a: readonly Point[], b: readonly Point[]): boolean {
  return a.length === b.length && a.every((point, index) => point[0] === b[index]?.[0] && point[1] === b[index]?.[1]);
}

export function positionOf(item: SceneNode): Point {
  return item.box?.position ?? [0, 0];
}

/** Where an output's port lies on the canvas. */
export function outputPoint(item: SceneNode, output: string | number): Point | undefined {
  const port =
    typeof output === "number" && item.schema
      ? item.plan.outputs[output]
      : item.plan.outputs.find((each) => each.id === String(output));
  const [x, y] = positionOf(item);
  return port && [x + item.plan.width, y + port.y];
}

export function inputPoint(item: SceneNode, to: InputEnd): Point | undefined {
  const id = to.index === undefined ? to.input : `${to.input}.${to.index}`;
  const port = item.plan.inputs.find((each) => each.id === id);
  const [x, y] = positionOf(item);
  return port && [x, y + port.y];
}

/** @param height of the node as it is on the page, when that is known. */
export function nodeRect(item: SceneNode, height?: number): Rect {
  const [x, y] = positionOf(item);
  return {
    x,
    y,
    width: item.plan.width,
    height: item.box?.collapsed ? item.plan.height : (height ?? item.plan.height),
  };
}

export function groupRect(group: Group): Rect {
  const [width, height] = group.size ?? GROUP_SIZE;
  return { x: group.position[0], y: group.position[1], width, height };
}

export function noteRect(note: Note): Rect {
  const [width, height] = note.size ?? NOTE_SIZE;
  return { x: note.position[0], y: note.position[1], width, height };
}

/** How wide the cards of a subgraph's inputs and outputs are, and how far from its nodes: see `boundaryOf`. */
export const BOUNDARY = { width: 208, gap: 112 };

/** The box around everything, or around some nodes; null when there is nothing. */
export function sceneRect(scene: Scene, heights: ReadonlyMap<string, number>, only?: Iterable<string>): Rect | null {
  if (only) return around([...only].flatMap((id) => (scene.nodes.has(id) ? [rectAt(scene, heights, id)] : [])));
  const inner = innerRect(scene, heights);
  if (!inner || !("inputs" in scene.scope)) return inner;
  const { inputs, outputs } = scene.scope as Subgraph;
  const room = BOUNDARY.width + BOUNDARY.gap;
  const left = inputs.length > 0 ? room : 0;
  const right = outputs.length > 0 ? room : 0;
  return { ...inner, x: inner.x - left, width: inner.width + left + right };
}

/** The box around nodes, groups and notes. */
export function innerRect(scene: Scene, heights: ReadonlyMap<string, number>): Rect | null {
  return around([
    ...[...scene.nodes.keys()].map((id) => rectAt(scene, heights, id)),
    ...scene.groups.map(groupRect),
    ...scene.notes.map(noteRect),
  ]);
}

function rectAt(scene: Scene, heights: ReadonlyMap<string, number>, id: string): Rect {
  return nodeRect(scene.nodes.get(id) as SceneNode, heights.get(id));
}
