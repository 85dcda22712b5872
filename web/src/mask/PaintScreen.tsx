/**
 * What is painted on, and the brush over it.
 *
 * One finger, the pen or the left button paints (the right one does the opposite); the wheel zooms; two fingers, the
 * middle button or the space bar move the picture. Shift draws a straight line from where the last stroke ended. With
 * the focus on it, arrows move the brush and Enter paints.
 */

import {
  type KeyboardEvent as KeyPress,
  type PointerEvent,
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useRef,
  useState,
} from "react";
import type { Dab } from "./mask";
import { type Extent, fitted, moved, onPicture, type Place, pinched, type Sight, zoomed } from "./sight";

/** What the tool bar asks of the screen. */
export interface ScreenHandle {
  zoom(factor: number): void;
  showAll(): void;
}

interface PaintScreenProps {
  ref: RefObject<ScreenHandle | null>;
  /** What it is to painters who cannot see it. */
  label: string;
  /** Of the picture, in its own pixels. */
  extent: Extent;
  /** Of the brush, in the picture's pixels; 0: a crosshair, for tools without extent. */
  size: number;
  /** A stroke begins: with `opposite`, by the right button. Returns whether there is more of it to come. */
  onBegin(opposite: boolean, at: Dab): boolean;
  onDraw(from: Dab, to: Dab): void;
  onEnd(): void;
  /** The stroke that has begun turned out to be none. */
  onAbandon(): void;
  onZoom(zoom: number): void;
  /** Layers, each as large as the picture. */
  children: ReactNode;
}

const WHEEL_SPEED = 0.0015;
const ARROWS: Readonly<Record<string, Place>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export function PaintScreen(props: PaintScreenProps) {
  const { ref, label, extent, size, onBegin, onDraw, onEnd, onAbandon, onZoom, children } = props;
  const { width, height } = extent;
  const screen = useRef<HTMLDivElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState<Sight | null>(null);
  const pointers = useRef(new Map<number, Place>());
  const drawing = useRef<{ pointer: number; last: Dab } | null>(null);
  const moving = useRef(false);
  const ended = useRef<Dab | null>(null);
  const space = useRef(false);
  /** Where the keyboard's brush is, in the picture's pixels. */
  const cursor = useRef<Place>({ x: width / 2, y: height / 2 });

  const showAll = useCallback(() => {
    const box = screen.current?.getBoundingClientRect();
    if (box) setSight(fitted({ width, height }, box));
  }, [width, height]);
  useFirstSize(screen, showAll);
  useEffect(() => {
    if (sight) onZoom(sight.zoom);
  }, [sight, onZoom]);
  useImperativeHandle(ref, () => ({
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
  const showRing = (at: Place, hidden: boolean) => {
    if (!ring.current) return;
    ring.current.style.transform = `translate(${at.x}px, ${at.y}px)`;
    ring.current.hidden = hidden;
  };
  const stop = () => {
    if (!drawing.current) return;
    ended.current = drawing.current.last;
    drawing.current = null;
    onEnd();
  };
  const paint = (pointer: number, at: Dab, line: boolean, opposite: boolean) => {
    if (!onBegin(opposite, at)) return;
    onDraw(line && ended.current ? { ...ended.current, radius: at.radius } : at, at);
    drawing.current = { pointer, last: at };
  };

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    event.currentTarget.focus({ preventScroll: true });
    event.currentTarget.setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, place(event));
    moving.current = event.button === 1 || space.current || pointers.current.size > 1;
    if (!moving.current) return paint(event.pointerId, dab(event), event.shiftKey, event.button === 2);
    // The second finger turns a stroke that has just begun into moving the picture.
    if (!drawing.current) return;
    stop();
    onAbandon();
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const here = place(event);
    const before = pointers.current.get(event.pointerId);
    showRing(here, event.pointerType === "touch");
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
        onDraw(drawing.current.last, to);
        drawing.current.last = to;
      }
    }
  };
  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    pointers.current.delete(event.pointerId);
    if (drawing.current?.pointer === event.pointerId) stop();
    if (pointers.current.size === 0) moving.current = false;
  };
  const onKeyDown = (event: KeyPress) => {
    const by = ARROWS[event.key];
    if ((!by && event.key !== "Enter") || !sight) return;
    event.preventDefault();
    const far = event.ctrlKey || event.metaKey ? 1 : Math.max(1, size / 2);
    const from = { ...cursor.current, radius: size / 2 };
    const x = Math.min(width, Math.max(0, from.x + (by?.x ?? 0) * far));
    const y = Math.min(height, Math.max(0, from.y + (by?.y ?? 0) * far));
    cursor.current = { x, y };
    // Shift paints on the way.
    if ((event.key === "Enter" || event.shiftKey) && onBegin(false, from)) {
      onDraw(from, { x, y, radius: from.radius });
      onEnd();
    }
    showRing({ x: sight.x + x * sight.zoom, y: sight.y + y * sight.zoom }, false);
  };

  const diameter = size * (sight?.zoom ?? 1);
  return (
    <div
      ref={screen}
      role="application"
      aria-label={label}
      aria-description="Arrow keys move the brush, Enter paints, Shift with an arrow paints a line"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys
      tabIndex={0}
      className="mask-screen"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
      onPointerLeave={() => {
        if (ring.current && !drawing.current) ring.current.hidden = true;
      }}
      onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div
        className="mask-picture"
        style={{
          width,
          height,
          transform: sight ? `translate(${sight.x}px, ${sight.y}px) scale(${sight.zoom})` : undefined,
          imageRendering: (sight?.zoom ?? 1) >= 3 ? "pixelated" : "auto",
        }}
      >
        {children}
      </div>
      <div ref={ring} className="mask-ring" hidden>
        <div style={{ width: diameter, height: diameter }} />
      </div>
    </div>
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
