/** The whole scene in a corner; press or drag in it to go there. */

import { useOnViewportChange } from "@xyflow/react";
import { type PointerEvent as ReactPointerEvent, useCallback, useEffect, useRef } from "react";
import { useTab } from "../app/store";
import type { View } from "../document";
import { boardStore, useBoard } from "./board";
import { around, grown, type Rect } from "./geometry";
import { freshContext } from "./paint";
import { readPalette } from "./palette";
import { groupRect, nodeRect, type Scene, sceneRect } from "./scene";

const WIDTH = 180;
const HEIGHT = 120;

export function Minimap({ scene }: { scene: Scene }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef(0);
  const heights = useBoard((board) => board.heights);
  const selection = useTab((tab) => tab.selection);
  const paint = useCallback(() => {
    const { camera } = boardStore.getState();
    const context = canvas.current && freshContext(canvas.current, WIDTH, HEIGHT);
    if (!camera || !context) return;
    const palette = readPalette(undefined, "");
    const { shown, view } = frameOf(scene, heights, camera.view(), camera.box());
    context.translate(view.x, view.y);
    context.scale(view.zoom, view.zoom);
    for (const group of scene.groups) {
      const rect = groupRect(group);
      context.fillStyle = group.colour ?? palette.group;
      context.globalAlpha = 0.4;
      context.fillRect(rect.x, rect.y, rect.width, rect.height);
    }
    context.globalAlpha = 1;
    for (const item of scene.nodes.values()) {
      const rect = nodeRect(item, heights.get(item.id));
      context.fillStyle = selection.nodes.has(item.id) ? palette.selected : (item.box?.colour ?? palette.text);
      context.globalAlpha = selection.nodes.has(item.id) ? 1 : 0.4;
      context.fillRect(rect.x, rect.y, rect.width, rect.height);
    }
    context.globalAlpha = 1;
    context.strokeStyle = palette.selected;
    context.lineWidth = 1.5 / view.zoom;
    context.strokeRect(shown.x, shown.y, shown.width, shown.height);
  }, [scene, heights, selection]);
  const soon = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(paint);
  }, [paint]);
  useOnViewportChange({ onChange: soon });
  useEffect(() => {
    soon();
    const theme = new MutationObserver(soon);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      theme.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, [soon]);
  return (
    <canvas
      ref={canvas}
      className="minimap nodrag nopan"
      aria-label="Map of the workflow"
      style={{ width: WIDTH, height: HEIGHT }}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        goTo(event, scene, heights);
      }}
      onPointerMove={(event) => {
        if (event.buttons === 1) goTo(event, scene, heights);
      }}
    />
  );
}

/** The part of the canvas on show, and the view in which the minimap shows everything. */
function frameOf(
  scene: Scene,
  heights: ReadonlyMap<string, number>,
  now: View,
  box: DOMRect,
): { shown: Rect; view: View } {
  const shown = {
    x: -now.x / now.zoom,
    y: -now.y / now.zoom,
    width: box.width / now.zoom,
    height: box.height / now.zoom,
  };
  const all = sceneRect(scene, heights);
  const whole = grown(around(all ? [all, shown] : [shown]) ?? shown, 40);
  const zoom = Math.min(WIDTH / whole.width, HEIGHT / whole.height);
  const view = {
    x: WIDTH / 2 - (whole.x + whole.width / 2) * zoom,
    y: HEIGHT / 2 - (whole.y + whole.height / 2) * zoom,
    zoom,
  };
  return { shown, view };
}

function goTo(event: ReactPointerEvent<HTMLCanvasElement>, scene: Scene, heights: ReadonlyMap<string, number>): void {
  const { camera } = boardStore.getState();
  if (!camera) return;
  const box = camera.box();
  const now = camera.view();
  const { view } = frameOf(scene, heights, now, box);
  const own = event.currentTarget.getBoundingClientRect();
  const x = (event.clientX - own.left - view.x) / view.zoom;
  const y = (event.clientY - own.top - view.y) / view.zoom;
  camera.move({ x: box.width / 2 - x * now.zoom, y: box.height / 2 - y * now.zoom, zoom: now.zoom });
}
