/** The scene as plain boxes on one bitmap, for the canvas zoomed far out. */

import { useOnViewportChange } from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";
import { useStore } from "zustand";
import { runStore } from "../app/run";
import { useTab } from "../app/store";
import { boardStore, useBoard } from "./board";
import { freshContext, paintScene } from "./paint";
import { readPalette } from "./palette";
import type { Scene } from "./scene";

export function Far({ scene }: { scene: Scene }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const selection = useTab((tab) => tab.selection);
  const prefix = useTab((tab) => tab.path.map((step) => `${step.node}:`).join(""));
  const tab = useTab((state) => state.id);
  const run = useStore(runStore, (state) => state.jobs[state.shown[tab] ?? ""]);
  const heights = useBoard((board) => board.heights);
  const frame = useRef(0);
  const paint = useCallback(() => {
    const element = canvas.current;
    const { camera } = boardStore.getState();
    const box = element?.parentElement?.getBoundingClientRect();
    if (!element || !camera || !box) return;
    const context = freshContext(element, box.width, box.height);
    if (!context) return;
    paintScene(context, { scene, heights, selection, palette: readPalette(run, prefix) }, camera.view(), box);
  }, [scene, heights, selection, run, prefix]);
  const soon = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(paint);
  }, [paint]);
  useOnViewportChange({ onChange: soon });
  useEffect(() => {
    soon();
    const sizes = new ResizeObserver(soon);
    if (canvas.current?.parentElement) sizes.observe(canvas.current.parentElement);
    const theme = new MutationObserver(soon);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      sizes.disconnect();
      theme.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, [soon]);
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without tabIndex takes no focus
  return <canvas ref={canvas} className="far" aria-hidden="true" />;
}
