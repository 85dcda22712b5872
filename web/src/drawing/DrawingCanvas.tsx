/** The drawing, over the picture that is traced, and what the chosen tool does to it. */

import { type RefObject, useCallback, useImperativeHandle, useLayoutEffect, useRef } from "react";
import { type Area, type Colour, newMask, stroke, whole } from "../mask/mask";
import { PaintScreen, type ScreenHandle } from "../mask/PaintScreen";
import type { Strokes } from "../mask/strokes";
import { classes } from "../theme";
import { colourAt, fill, lay, type Raster, type Touch } from "./raster";
import type { TraceState } from "./Trace";

export type Tool = "brush" | "erase" | "fill" | "pick";

/** What the tool bar asks of the canvas. */
export interface DrawingHandle extends ScreenHandle {
  /** Show this part of the drawing anew. */
  show(area: Area): void;
}

interface DrawingCanvasProps {
  ref: RefObject<DrawingHandle | null>;
  raster: Raster;
  strokes: Strokes<Raster>;
  tool: Tool;
  colour: Colour;
  /** What the eraser leaves; null: nothing. */
  paper: Colour | null;
  /** Diameter of the brush in pixels. */
  size: number;
  hardness: number;
  opacity: number;
  /** No colour in between may come about. */
  hard: boolean;
  trace: TraceState;
  onStroke(): void;
  onPick(colour: Colour): void;
  onZoom(zoom: number): void;
}

/** How far a soft brush's colours may be off to be filled with the bucket. */
const TOLERANCE = 24;

export function DrawingCanvas(props: DrawingCanvasProps) {
  const { ref, raster, strokes, tool, colour, paper, size, hardness, opacity, hard, trace } = props;
  const { onStroke, onPick, onZoom } = props;
  const screen = useRef<ScreenHandle>(null);
  const sheet = useRef<HTMLCanvasElement>(null);
  const touch = useRef<Touch | null>(null);
  const show = useCallback(
    ({ x, y, width, height }: Area) => {
      const image = new ImageData(raster.data, raster.width, raster.height);
      sheet.current?.getContext("2d")?.putImageData(image, 0, 0, x, y, width, height);
    },
    [raster],
  );
  useLayoutEffect(() => show(whole(raster)), [show, raster]);
  useImperativeHandle(ref, () => ({
    show,
    showAll: () => screen.current?.showAll(),
    zoom: (factor) => screen.current?.zoom(factor),
  }));
  const pour = (x: number, y: number, paint: Colour | null) => {
    strokes.begin();
    const filled = fill(raster, x, y, paint, hard ? 0 : TOLERANCE);
    strokes.touch(filled);
    strokes.end();
    if (filled) show(filled);
    onStroke();
  };
  return (
    <PaintScreen
      ref={screen}
      label="The drawing"
      extent={raster}
      size={tool === "brush" || tool === "erase" ? size : 0}
      onBegin={(opposite, { x, y }) => {
        if (tool === "pick") {
          const found = colourAt(raster, x, y);
          if (found) onPick(found);
          return false;
        }
        const paint = (tool === "erase") === opposite ? colour : paper;
        if (tool === "fill") {
          pour(x, y, paint);
          return false;
        }
        strokes.begin();
        const before = { ...raster, data: raster.data.slice() };
        const coverage = newMask(raster.width, raster.height);
        touch.current = { before, coverage, colour: paint, opacity: tool === "erase" ? 1 : opacity, hard };
        return true;
      }}
      onDraw={(from, to) => {
        if (!touch.current) return;
        const area = stroke(touch.current.coverage, from, to, { erase: false, hardness: hard ? 1 : hardness });
        strokes.touch(area);
        if (!area) return;
        lay(raster, area, touch.current);
        show(area);
      }}
      onEnd={() => {
        touch.current = null;
        strokes.end();
        onStroke();
      }}
      onAbandon={() => {
        const undone = strokes.undo();
        if (undone) show(undone);
        onStroke();
      }}
      onZoom={onZoom}
    >
      <span className={classes("drawing-ground", !paper && "drawing-nothing")} />
      <canvas ref={sheet} width={raster.width} height={raster.height} />
      {trace.url && (
        // Over the drawing, since paper would hide it.
        <img className="drawing-trace" src={trace.url} alt="" style={{ opacity: trace.strength }} />
      )}
    </PaintScreen>
  );
}
