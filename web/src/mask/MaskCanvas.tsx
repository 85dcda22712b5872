/** A picture with the mask over it, painted with a brush. */

import { type RefObject, useCallback, useImperativeHandle, useLayoutEffect, useRef } from "react";
import { type Area, type Brush, type Colour, type Mask, stroke, tinted, whole } from "./mask";
import { PaintScreen, type ScreenHandle } from "./PaintScreen";
import type { Strokes } from "./strokes";

/** What the tool bar asks of the canvas. */
export interface CanvasHandle extends ScreenHandle {
  /** Draw this part of the mask anew. */
  show(area: Area): void;
}

interface MaskCanvasProps {
  ref: RefObject<CanvasHandle | null>;
  pixels: ImageData;
  mask: Mask;
  strokes: Strokes<Mask>;
  brush: Brush;
  /** Diameter in the picture's pixels. */
  size: number;
  /** How much of the mask's colour covers the picture, 0 to 1. */
  cover: number;
  colour: Colour;
  onStroke(): void;
  onZoom(zoom: number): void;
}

export function MaskCanvas(props: MaskCanvasProps) {
  const { ref, pixels, mask, strokes, brush, size, cover, colour, onStroke, onZoom } = props;
  const screen = useRef<ScreenHandle>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const erasing = useRef(false);
  const show = useCallback(
    (area: Area) => {
      const image = new ImageData(tinted(mask, area, colour), area.width, area.height);
      overlay.current?.getContext("2d")?.putImageData(image, area.x, area.y);
    },
    [mask, colour],
  );
  useLayoutEffect(() => show(whole(mask)), [show, mask]);
  useImperativeHandle(ref, () => ({
    show,
    showAll: () => screen.current?.showAll(),
    zoom: (factor) => screen.current?.zoom(factor),
  }));
  return (
    <PaintScreen
      ref={screen}
      label="The picture and its mask"
      extent={pixels}
      size={size}
      onBegin={(opposite) => {
        erasing.current = brush.erase !== opposite;
        strokes.begin();
        return true;
      }}
      onDraw={(from, to) => {
        const area = stroke(mask, from, to, { ...brush, erase: erasing.current });
        strokes.touch(area);
        if (area) show(area);
      }}
      onEnd={() => {
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
      <Picture pixels={pixels} />
      <canvas ref={overlay} width={pixels.width} height={pixels.height} style={{ opacity: cover }} />
    </PaintScreen>
  );
}

/** The picture with all of its colours: what is transparent in it is what the mask shows. */
function Picture({ pixels }: { pixels: ImageData }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const opaque = new ImageData(pixels.data.slice(), pixels.width, pixels.height);
    for (let index = 3; index < opaque.data.length; index += 4) opaque.data[index] = 255;
    canvas.current?.getContext("2d")?.putImageData(opaque, 0, 0);
  }, [pixels]);
  return <canvas ref={canvas} width={pixels.width} height={pixels.height} />;
}
