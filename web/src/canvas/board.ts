/**
 * The canvas on show, for those who are not inside it: commands, menus, the minimap, drags.
 *
 * The canvas puts in its scene and its view; the rest reads them. There is one canvas at a time.
 */

import { createStore, useStore } from "zustand";
import type { Point, View } from "../document";
import { EMPTY_WORKFLOW } from "../document";
import { grown, type Rect } from "./geometry";
import { buildScene, type Scene, sceneRect } from "./scene";

export interface Camera {
  view(): View;
  /** Go there, over `duration` ms. */
  move(view: View, duration?: number): void;
  /** The canvas's box in the window. */
  box(): DOMRect;
}

interface Board {
  scene: Scene;
  /** Heights of nodes as they are on the page: taller than planned when pictures hang below. */
  heights: ReadonlyMap<string, number>;
  camera: Camera | null;
  /** Zoomed out so far that nodes are drawn as plain boxes. */
  far: boolean;
  /** Where the pointer was last, in the window; null while it is elsewhere. */
  pointer: Point | null;
}

export const boardStore = createStore<Board>()(() => ({
  scene: buildScene(EMPTY_WORKFLOW, new Map(), "curved"),
  heights: new Map(),
  camera: null,
  far: false,
  pointer: null,
}));

export function useBoard<T>(selector: (board: Board) => T): T {
  return useStore(boardStore, selector);
}

export const ZOOM = { least: 0.05, most: 2.5 };
/** Below this, nodes are boxes. */
export const FAR = 0.35;

/** A point of the window on the canvas. */
export function toCanvas(screen: Point): Point {
  const { camera } = boardStore.getState();
  if (!camera) return screen;
  const { x, y, zoom } = camera.view();
  const box = camera.box();
  return [(screen[0] - box.left - x) / zoom, (screen[1] - box.top - y) / zoom];
}

export function toScreen(point: Point): Point {
  const { camera } = boardStore.getState();
  if (!camera) return point;
  const { x, y, zoom } = camera.view();
  const box = camera.box();
  return [point[0] * zoom + x + box.left, point[1] * zoom + y + box.top];
}

/** Where something new goes that has no place of its own: under the pointer, or in the middle. */
export function newPlace(): { screen: Point; at: Point } {
  const { camera, pointer } = boardStore.getState();
  const box = camera?.box() ?? new DOMRect(0, 0, 800, 600);
  const inside =
    pointer && pointer[0] > box.left && pointer[0] < box.right && pointer[1] > box.top && pointer[1] < box.bottom;
  const screen: Point = inside ? pointer : [box.left + box.width / 2, box.top + box.height / 2];
  return { screen, at: toCanvas(screen) };
}

/** The view that shows a box whole, at most at its own size. */
export function viewOf(rect: Rect, box: { width: number; height: number }, most = 1): View {
  const room = grown(rect, 48);
  const fit = Math.min(box.width / room.width, box.height / room.height);
  const zoom = Math.max(ZOOM.least, Math.min(most, fit));
  return {
    x: box.width / 2 - (rect.x + rect.width / 2) * zoom,
    y: box.height / 2 - (rect.y + rect.height / 2) * zoom,
    zoom,
  };
}

/** Narrower than this, in pixels, is a phone held upright. */
const NARROW = 600;

/** The view to begin with: everything, or on a phone, where that would be tiny boxes, the beginning at a legible size. */
export function startView(rect: Rect, box: { width: number; height: number }): View {
  const whole = viewOf(rect, box);
  if (whole.zoom >= FAR || box.width >= NARROW) return whole;
  const zoom = 0.6;
  return { x: 24 - rect.x * zoom, y: box.height / 2 - (rect.y + rect.height / 2) * zoom, zoom };
}

/** Bring everything, or some nodes, into view. */
export function fitView(ids?: Iterable<string>, duration = 200): void {
  const { scene, heights, camera } = boardStore.getState();
  const rect = sceneRect(scene, heights, ids);
  if (camera && rect) camera.move(viewOf(rect, camera.box()), duration);
}

export function zoomBy(factor: number): void {
  const { camera } = boardStore.getState();
  if (!camera) return;
  const { x, y, zoom } = camera.view();
  const box = camera.box();
  const next = Math.max(ZOOM.least, Math.min(ZOOM.most, zoom * factor));
  const [cx, cy] = [box.width / 2, box.height / 2];
  const scale = next / zoom;
  camera.move({ x: cx - (cx - x) * scale, y: cy - (cy - y) * scale, zoom: next }, 120);
}
