/** A scene painted on a bitmap: for the canvas zoomed far out, and for the minimap. */

import type { Selection } from "../app/store";
import type { View } from "../document";
import { overlaps, type Rect, sampleWire } from "./geometry";
import { groupRect, nodeRect, noteRect, type Scene, type SceneNode } from "./scene";

export interface Palette {
  node: string;
  title: string;
  border: string;
  selected: string;
  group: string;
  note: string;
  text: string;
  /** Colour of a port type. */
  wire(type: string): string;
  /** Colour of a node in the run on show; null for none. */
  state(id: string): string | null;
}

interface Painted {
  scene: Scene;
  heights: ReadonlyMap<string, number>;
  selection: Selection;
  palette: Palette;
}

/** Titles are written while they are at least this tall, in pixels. */
const LEGIBLE = 5;

export function paintScene(
  context: CanvasRenderingContext2D,
  { scene, heights, selection, palette }: Painted,
  view: View,
  size: { width: number; height: number },
): void {
  const { x, y, zoom } = view;
  const shown: Rect = { x: -x / zoom, y: -y / zoom, width: size.width / zoom, height: size.height / zoom };
  context.save();
  context.translate(x, y);
  context.scale(zoom, zoom);
  for (const [index, group] of scene.groups.entries()) {
    const rect = groupRect(group);
    if (!overlaps(rect, shown)) continue;
    context.fillStyle = group.colour ?? palette.group;
    context.globalAlpha = group.colour ? 0.25 : 1;
    context.fillRect(rect.x, rect.y, rect.width, rect.height);
    context.globalAlpha = 1;
    outline(context, rect, selection.groups.has(index) ? palette.selected : palette.border, zoom);
  }
  paintWires(context, scene, palette, shown, zoom);
  for (const [index, note] of scene.notes.entries()) {
    const rect = noteRect(note);
    if (!overlaps(rect, shown)) continue;
    context.fillStyle = note.colour ?? palette.note;
    context.fillRect(rect.x, rect.y, rect.width, rect.height);
    if (selection.notes.has(index)) outline(context, rect, palette.selected, zoom);
  }
  for (const item of scene.nodes.values()) {
    const rect = nodeRect(item, heights.get(item.id));
    if (overlaps(rect, shown)) paintNode(context, item, rect, palette, selection.nodes.has(item.id), zoom);
  }
  context.restore();
}

function paintNode(
  context: CanvasRenderingContext2D,
  item: SceneNode,
  rect: Rect,
  palette: Palette,
  selected: boolean,
  zoom: number,
): void {
  context.globalAlpha = (item.node.mode ?? "run") === "run" ? 1 : 0.45;
  context.fillStyle = palette.node;
  context.fillRect(rect.x, rect.y, rect.width, rect.height);
  context.fillStyle = item.box?.colour ?? palette.title;
  context.fillRect(rect.x, rect.y, rect.width, Math.min(32, rect.height));
  const state = palette.state(item.id);
  outline(context, rect, selected ? palette.selected : (state ?? palette.border), zoom, selected || state ? 2 : 1);
  if (13 * zoom >= LEGIBLE) {
    context.fillStyle = palette.text;
    context.font = "600 15px system-ui, sans-serif";
    context.textBaseline = "middle";
    const title = item.node.title || item.schema?.title || item.node.type;
    context.fillText(title, rect.x + 10, rect.y + 17, rect.width - 20);
  }
  context.globalAlpha = 1;
}

function paintWires(
  context: CanvasRenderingContext2D,
  scene: Scene,
  palette: Palette,
  shown: Rect,
  zoom: number,
): void {
  context.lineWidth = Math.max(1.5, 0.8 / zoom);
  for (const wire of scene.wires.values()) {
    if (!overlaps(wire.rect, shown)) continue;
    context.strokeStyle = palette.wire(wire.type);
    context.globalAlpha = wire.idle ? 0.3 : 0.8;
    context.beginPath();
    sampleWire(wire.points, scene.style, 8).forEach(([px, py], index) => {
      if (index === 0) context.moveTo(px, py);
      else context.lineTo(px, py);
    });
    context.stroke();
  }
  context.globalAlpha = 1;
}

function outline(context: CanvasRenderingContext2D, rect: Rect, colour: string, zoom: number, pixels = 1): void {
  context.strokeStyle = colour;
  context.lineWidth = pixels / zoom;
  context.strokeRect(rect.x, rect.y, rect.width, rect.height);
}

/** A bitmap as fine as the screen, wiped clean. */
export function freshContext(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | null {
  const fine = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * fine), Math.round(height * fine)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.setTransform(fine, 0, 0, fine, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
