/**
 * The picture with the mask over it, and the brush.
 *
 * One finger, the pen or the left button paints (the right one erases); the wheel zooms; two fingers, the middle button
 * or the space bar move the picture. Shift draws a straight line from where the last stroke ended.
 */

import {
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { type Area, type Brush, type Colour, type Dab, type Mask, stroke, tinted, whole } from "./mask";
import { fitted, moved, onPicture, type Place, pinched, type Sight, zoomed } from "./sight";
import type { Strokes } from "./strokes";

/** What the tool bar asks of the canvas. */
export interface CanvasHandle {
  /** Draw this part of the mask anew. */
  show(area: Area): void;
  zoom(factor: number): void;
  showAll(): void;
}

interface MaskCanvasProps {
  ref: RefObject<CanvasHandle | null>;
  pixels: ImageData;
  mask: Mask;
  strokes: Strokes;
  brush: Brush;
  /** Diameter in the picture's pixels. */
  size: number;
  /** How much of the mask's colour covers the picture, 0 to 1. */
  cover: number;
  colour: Colour;
  onStroke(): void;
  onZoom(zoom: number): void;
}

const WHEEL_SPEED = 0.0015;

export function MaskCanvas(props: MaskCanvasProps) {
  const { ref, pixels, mask, strokes, brush, size, cover, colour, onStroke, onZoom } = props;
  const screen = useRef<HTMLDivElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState<Sight | null>(null);
  const pointers = useRef(new Map<number, Place>());
  const drawing = useRef<{ pointer: number; last: Dab; erase: boolean } | null>(null);
  const moving = useRef(false);
  const ended = useRef<Dab | null>(null);
  const space = useRef(false);

  const show = useCallback(
    (area: Area) => {
      const image = new ImageData(tinted(mask, area, colour), area.width, area.height);
      overlay.current?.getContext("2d")?.putImageData(image, area.x, area.y);
    },
    [mask, colour],
  );
  const showAll = useCallback(() => {
    const box = screen.current?.getBoundingClientRect();
    if (box) setSight(fitted(pixels, box));
  }, [pixels]);
  useLayoutEffect(() => show(whole(mask)), [show, mask]);
  useFirstSize(screen, showAll);
  useEffect(() => {
    if (sight) onZoom(sight.zoom);
  }, [sight, onZoom]);
  useImperativeHandle(ref, () => ({
    show,
    showAll,
    zoom(factor) {
      const box = screen.current?.getBoundingClientRect();
      if (box) setSight((now) => now && zoomed(now, factor, { x: box.width / 2, y: box.height / 2 }));
    },
  }));
  useWheel(screen, (by, at) => setSight((now) => now && zoomed(now, Math.exp(-by * WHEEL_SPEED), at)));
  useSpace(space);

  const place = (event: { clientX: number; clientY: number }): Place => {
    const box = screen.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  const dab = (event: { clientX: number; clientY: number; pointerType: string; pressure: number }): Dab => {
    // Only a pen tells how hard it is pressed; a mouse always says one half.
    const pressure = event.pointerType === "pen" ? Math.max(0.1, event.pressure) : 1;
    return { ...onPicture(sight ?? { x: 0, y: 0, zoom: 1 }, place(event)), radius: (size / 2) * pressure };
  };
  const draw = (from: Dab, to: Dab, erase: boolean) => {
    const area = stroke(mask, from, to, { ...brush, erase });
    strokes.touch(area);
    if (area) show(area);
  };
  const stop = () => {
    if (!drawing.current) return;
    ended.current = drawing.current.last;
    drawing.current = null;
    strokes.end();
    onStroke();
  };

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, place(event));
    moving.current = event.button === 1 || space.current || pointers.current.size > 1;
    if (moving.current) {
      // The second finger turns a stroke that has just begun into moving the picture.
      if (drawing.current) {
        stop();
        const undone = strokes.undo();
        if (undone) show(undone);
        onStroke();
      }
      return;
    }
    const erase = event.button === 2 ? !brush.erase : brush.erase;
    const here = dab(event);
    strokes.begin();
    draw(event.shiftKey && ended.current ? { ...ended.current, radius: here.radius } : here, here, erase);
    drawing.current = { pointer: event.pointerId, last: here, erase };
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const here = place(event);
    const before = pointers.current.get(event.pointerId);
    if (ring.current) {
      ring.current.style.transform = `translate(${here.x}px, ${here.y}px)`;
      ring.current.hidden = event.pointerType === "touch";
    }
    if (!before) return;
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, here);
    if (other) setSight((now) => now && pinched(now, [before, other], [here, other]));
    else if (moving.current) setSight((now) => now && moved(now, { x: here.x - before.x, y: here.y - before.y }));
    else if (drawing.current?.pointer === event.pointerId) {
      // The browser gathers what came since the last frame: with all of it, fast curves stay round.
      const gathered = event.nativeEvent.getCoalescedEvents?.() ?? [];
      for (const each of gathered.length > 0 ? gathered : [event.nativeEvent]) {
        const to = dab(each);
        draw(drawing.current.last, to, drawing.current.erase);
        drawing.current.last = to;
      }
    }
  };
  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    pointers.current.delete(event.pointerId);
    if (drawing.current?.pointer === event.pointerId) stop();
    if (pointers.current.size === 0) moving.current = false;
  };

  const diameter = size * (sight?.zoom ?? 1);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: painting is for pointers; fill, invert and clear have buttons
    <div
      ref={screen}
      className="mask-screen"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => {
        if (ring.current && !drawing.current) ring.current.hidden = true;
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div
        className="mask-picture"
        style={{
          width: pixels.width,
          height: pixels.height,
          transform: sight ? `translate(${sight.x}px, ${sight.y}px) scale(${sight.zoom})` : undefined,
          imageRendering: (sight?.zoom ?? 1) >= 3 ? "pixelated" : "auto",
        }}
      >
        <Picture pixels={pixels} />
        <canvas ref={overlay} width={pixels.width} height={pixels.height} style={{ opacity: cover }} />
      </div>
      <div ref={ring} className="mask-ring" hidden>
        <div style={{ width: diameter, height: diameter }} />
      </div>
    </div>
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
  return (
    <canvas ref={canvas} width={pixels.width} height={pixels.height} role="img" aria-label="The picture and its mask" />
  );
}

/** Call back once the element has a size: inside a dialog it has none before that opens. */
function useFirstSize(screen: RefObject<HTMLElement | null>, onSize: () => void): void {
  useEffect(() => {
    const element = screen.current;
    if (!element) return;
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth === 0) return;
      sizes.disconnect();
      onSize();
    });
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [screen, onSize]);
}

/** React listens to the wheel passively and could not keep the page from scrolling. */
function useWheel(screen: RefObject<HTMLElement | null>, onWheel: (by: number, at: Place) => void): void {
  const handler = useRef(onWheel);
  handler.current = onWheel;
  useEffect(() => {
    const element = screen.current;
    const listen = (event: WheelEvent) => {
      event.preventDefault();
      const box = element?.getBoundingClientRect();
      handler.current(event.deltaY * (event.deltaMode === 1 ? 16 : 1), {
        x: event.clientX - (box?.left ?? 0),
        y: event.clientY - (box?.top ?? 0),
      });
    };
    element?.addEventListener("wheel", listen, { passive: false });
    return () => element?.removeEventListener("wheel", listen);
  }, [screen]);
}

/** Whether the space bar is down, except on a button, where it is a click. */
function useSpace(down: RefObject<boolean>): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.code !== "Space" || (event.target instanceof HTMLElement && event.target.closest("button, input")))
        return;
      event.preventDefault();
      down.current = event.type === "keydown";
    };
    window.addEventListener("keydown", listen, true);
    window.addEventListener("keyup", listen, true);
    return () => {
      window.removeEventListener("keydown", listen, true);
      window.removeEventListener("keyup", listen, true);
    };
  }, [down]);
}
