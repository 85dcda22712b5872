/**
 * Where the inside of a subgraph meets what is around it: a card with its inputs left of its nodes and one with its
 * outputs right of them, and the wires between. Pure.
 */

import {
  type InputValue,
  inputSchema,
  linksOf,
  literalOf,
  outputSchema,
  type Point,
  readEnd,
  readLink,
  type Scope,
  type Subgraph,
} from "../document";
import { type Rect, type WireStyle, wirePath } from "./geometry";
import { BOUNDARY, innerRect, inputPoint, outputPoint, type Scene, type SceneNode } from "./scene";

export interface BoundaryPort {
  name: string;
  type: string;
  /** The ends inside, such as `sampler.seed`. */
  ends: readonly string[];
  /** To or from each of them that is there. */
  paths: readonly string[];
  /** What arrives here through the instance that was entered; undefined where nothing is said. */
  given?: string | undefined;
}

export interface BoundaryCard {
  rect: Rect;
  ports: readonly BoundaryPort[];
}

export interface Boundary {
  inputs: BoundaryCard | null;
  outputs: BoundaryCard | null;
}

const CARD = { header: 32, row: 28, foot: 8 };

/** The instance through which a subgraph was entered, and the scope that it stands in. */
export interface Entrance {
  scope: Scope;
  node: string;
}

export function boundaryOf(
  scene: Scene,
  heights: ReadonlyMap<string, number>,
  subgraph: Subgraph,
  entrance: Entrance | undefined,
): Boundary {
  const rect = innerRect(scene, heights) ?? { x: 0, y: 0, width: 0, height: 0 };
  const middle = rect.y + rect.height / 2;
  const place = (x: number, rows: number): Rect => {
    const height = CARD.header + rows * CARD.row + CARD.foot;
    return { x: Math.round(x), y: Math.round(middle - height / 2), width: BOUNDARY.width, height };
  };
  const left = place(rect.x - BOUNDARY.gap - BOUNDARY.width, subgraph.inputs.length);
  const right = place(rect.x + rect.width + BOUNDARY.gap, subgraph.outputs.length);
  const values = entrance?.scope.nodes[entrance.node]?.inputs;
  const inputs = subgraph.inputs.map(({ name, to }, row): BoundaryPort => {
    const inner = to.flatMap((end) => innerInput(scene, end));
    const start: Point = [left.x + left.width, middleOf(left, row)];
    const given = (entrance && wordsFor(values?.[name], entrance.scope)) ?? ownValue(scene, to[0]);
    return { name, type: inner[0]?.type ?? "*", ends: to, paths: pathsTo(start, inner, scene.style), given };
  });
  const outputs = subgraph.outputs.map(({ name, from }, row): BoundaryPort => {
    const { node, name: output } = readEnd(from);
    const item = scene.nodes.get(node);
    const start = item && outputPoint(item, output);
    const end: Point = [right.x, middleOf(right, row)];
    const type = outputSchema(item?.schema, output)?.type ?? "*";
    return { name, type, ends: [from], paths: start ? [wirePath([start, end], scene.style)] : [] };
  });
  return {
    inputs: inputs.length > 0 ? { rect: left, ports: inputs } : null,
    outputs: outputs.length > 0 ? { rect: right, ports: outputs } : null,
  };
}

function middleOf(card: Rect, row: number): number {
  return card.y + CARD.header + (row + 0.5) * CARD.row;
}

interface Inner {
  point: Point | undefined;
  type: string;
}

function innerInput(scene: Scene, end: string): Inner[] {
  const { node, name } = readEnd(end);
  const item = scene.nodes.get(node);
  if (!item) return [];
  const input = name.replace(/\.[0-9]+$/, "");
  return [{ point: pointOf(item, name), type: inputSchema(item.schema, input)?.type ?? "*" }];
}

function pointOf(item: SceneNode, input: string): Point | undefined {
  const grown = input.match(/^(.*)\.([0-9]+)$/);
  const at = grown ? inputPoint(item, { node: item.id, input: grown[1] ?? "", index: Number(grown[2]) }) : undefined;
  return at ?? inputPoint(item, { node: item.id, input });
}

function pathsTo(start: Point, inner: readonly Inner[], style: WireStyle): string[] {
  return inner.flatMap(({ point }) => (point ? [wirePath([start, point], style)] : []));
}

/** What an input inside has by itself, which counts while the instance is given nothing. */
function ownValue(scene: Scene, end: string | undefined): string | undefined {
  const { node, name } = readEnd(end ?? "");
  return wordsFor(scene.nodes.get(node)?.node.inputs?.[name], scene.scope);
}

/** What stands at an input, in a few words. */
function wordsFor(value: InputValue | undefined, around: Scope): string | undefined {
  const links = linksOf(value).map((link) => {
    const { node } = readLink(link);
    return `from ${around.nodes[node]?.title || node}`;
  });
  if (links.length > 0) return links.join(", ");
  const literal = literalOf(value);
  if (literal === undefined) return undefined;
  return typeof literal === "string" ? literal : JSON.stringify(literal);
}
