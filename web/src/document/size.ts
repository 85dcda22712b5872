/**
 * How large nodes are and where their ports lie, without a page: what the canvas draws is made to agree.
 *
 * All figures are pixels on a grid of 4.
 */

import { linksOf } from "./links";
import { anyInput, type InputSchema, type NodeSchema, type OutputSchema, type WidgetKind } from "./schema";
import type { Box, Point, WorkflowNode } from "./types";

export const HEADER = 32;
export const ROW = 24;
export const WIDTH = 240;
export const MIN_WIDTH = 160;
/** Space under the header, between ports and widgets, and at the foot. */
export const GAP = 4;

const WIDGET_ROW: Record<WidgetKind, number> = {
  number: 28,
  slider: 28,
  text: 28,
  multiline: 88,
  combo: 28,
  toggle: 28,
  seed: 28,
  file: 28,
  colour: 28,
  boxes: 200,
  drawing: 200,
};

/** A file chosen from the folder of pictures is shown under its name. */
const PICTURE_ROW = 200;

/** A port on a node's left side. `id` is what follows the node in a wire's key. */
export interface InputPort {
  id: string;
  schema: InputSchema;
  /** The place in an input that grows; the last one is free. */
  index?: number;
  linked: boolean;
  /** Middle of the port, from the node's upper edge. */
  y: number;
}

export interface OutputPort {
  id: string;
  schema: OutputSchema;
  y: number;
}

export interface WidgetRow {
  schema: InputSchema;
  y: number;
  height: number;
  linked: boolean;
}

export interface NodePlan {
  width: number;
  /** Without pictures and other things that come from running. */
  height: number;
  inputs: InputPort[];
  outputs: OutputPort[];
  widgets: WidgetRow[];
  /** Where the widgets end. */
  bodyEnd: number;
}

/**
 * Lay out a node: ports in rows under the header, inputs left and outputs right, then a row for each widget.
 *
 * @param used the outputs that wires start from, for a node whose type is not known.
 */
export function planNode(
  node: WorkflowNode,
  schema: NodeSchema | undefined,
  box?: Box,
  used: readonly string[] = [],
): NodePlan {
  const width = Math.max(MIN_WIDTH, box?.size?.[0] ?? WIDTH);
  if (!schema) return planUnknown(node, width, box, used);
  const plain = schema.inputs.filter((input) => input.widget === null).flatMap((input) => portsOf(node, input));
  const middle = (row: number) => (box?.collapsed ? HEADER / 2 : HEADER + GAP + row * ROW + ROW / 2);
  const inputs: InputPort[] = plain.map((port, row) => ({ ...port, y: middle(row) }));
  const outputs = schema.outputs.map(
    (output, row): OutputPort => ({ id: output.name, schema: output, y: middle(row) }),
  );
  const rows = Math.max(inputs.length, outputs.length);
  let y = HEADER + GAP + rows * ROW + (rows > 0 ? GAP : 0);
  const widgets = schema.inputs
    .filter((input) => input.widget !== null)
    .map((input): WidgetRow => {
      const linked = linksOf(node.inputs?.[input.name]).length > 0;
      const height = linked ? ROW : widgetHeight(input);
      const row = { schema: input, y, height, linked };
      y += height;
      return row;
    });
  const extra = stretch(widgets, y, box);
  for (const row of widgets) {
    const at = box?.collapsed ? HEADER / 2 : row.y + Math.min(row.height, 28) / 2;
    inputs.push({ id: row.schema.name, schema: row.schema, linked: row.linked, y: at });
  }
  const bodyEnd = y + extra + GAP;
  const height = box?.collapsed ? HEADER : Math.max(bodyEnd, box?.size?.[1] ?? 0);
  return { width, height, inputs, outputs, widgets, bodyEnd };
}

function widgetHeight(input: InputSchema): number {
  if (input.widget === "file" && input.folder === "input") return PICTURE_ROW;
  return WIDGET_ROW[input.widget ?? "text"];
}

/** Give height that the user pulled out to the multiline texts; returns how much was given. */
function stretch(widgets: WidgetRow[], end: number, box?: Box): number {
  const tall = widgets.filter((row) => row.schema.widget === "multiline" && !row.linked);
  const spare = Math.floor(((box?.size?.[1] ?? 0) - end - GAP) / Math.max(tall.length, 1));
  if (tall.length === 0 || spare <= 0) return 0;
  let given = 0;
  for (const row of widgets) {
    row.y += given;
    if (tall.includes(row)) {
      row.height += spare;
      given += spare;
    }
  }
  return given;
}

function portsOf(node: WorkflowNode, input: InputSchema): Omit<InputPort, "y">[] {
  const value = node.inputs?.[input.name];
  if (!input.variadic) return [{ id: input.name, schema: input, linked: linksOf(value).length > 0 }];
  const dotted = Object.keys(node.inputs ?? {})
    .filter((key) => key.match(/^(.*)\.[0-9]+$/)?.[1] === input.name)
    .map((key) => Number(key.slice(input.name.length + 1)));
  const count = Math.max(linksOf(value).length, ...dotted.map((place) => place + 1), 0);
  return Array.from({ length: count + 1 }, (_, index) => ({
    id: `${input.name}.${index}`,
    schema: input,
    index,
    linked: index < linksOf(value).length || dotted.includes(index),
  }));
}

/** A node whose type is not known shows what its wires and values say. */
function planUnknown(node: WorkflowNode, width: number, box: Box | undefined, used: readonly string[]): NodePlan {
  const middle = (row: number) => (box?.collapsed ? HEADER / 2 : HEADER + GAP + row * ROW + ROW / 2);
  const places = Object.entries(node.inputs ?? {}).flatMap(([name, value]) =>
    linksOf(value).map((_, index) => ({ name, id: Array.isArray(value) ? `${name}.${index}` : name })),
  );
  const inputs = places.map(({ name, id }, row) => ({ id, schema: anyInput(name), linked: true, y: middle(row) }));
  const outputs = used.map((name, row) => ({
    id: name,
    schema: { name, type: "*", is_list: false, help: "" },
    y: middle(row),
  }));
  const rows = Math.max(inputs.length, outputs.length, 1);
  const bodyEnd = HEADER + GAP + rows * ROW + GAP;
  const height = box?.collapsed ? HEADER : Math.max(bodyEnd, box?.size?.[1] ?? 0);
  return { width, height, inputs, outputs, widgets: [], bodyEnd };
}

/** Room for a node's pictures when its height is not set by the user. */
export function sizeOf(node: WorkflowNode, schema: NodeSchema | undefined, box?: Box): Point {
  const plan = planNode(node, schema, box);
  return [plan.width, plan.height];
}
