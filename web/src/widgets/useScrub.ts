/** Drag sideways on a number to change it. A press that does not move is a click, and puts the cursor in the field. */

import { type PointerEvent, useRef } from "react";

interface Scrub {
  /** So many steps from where the drag began; whole ones, or tenths while `fine`. */
  onMove(steps: number): void;
  onEnd(): void;
  onClick(): void;
  /** Whether a step can be divided. */
  divisible: boolean;
}

const PIXELS_A_STEP = 5;
const SLACK = 4;
const FINE = 0.1;
const COARSE = 10;

export interface ScrubHandlers {
  onPointerDown(event: PointerEvent<HTMLElement>): void;
  onPointerMove(event: PointerEvent<HTMLElement>): void;
  onPointerUp(event: PointerEvent<HTMLElement>): void;
  onPointerCancel(event: PointerEvent<HTMLElement>): void;
}

export function useScrub({ onMove, onEnd, onClick, divisible }: Scrub): ScrubHandlers {
  const drag = useRef<{ x: number; travelled: number; steps: number; moving: boolean } | null>(null);
  return {
    onPointerDown(event) {
      // Fingers scroll the page; they have the buttons beside the field.
      if (event.button !== 0 || event.pointerType === "touch") return;
      event.preventDefault();
      drag.current = { x: event.clientX, travelled: 0, steps: 0, moving: false };
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove(event) {
      const now = drag.current;
      if (!now) return;
      const by = event.clientX - now.x;
      if (!now.moving && Math.abs(by) < SLACK) return;
      now.moving = true;
      now.x = event.clientX;
      now.steps += (by / PIXELS_A_STEP) * (event.shiftKey ? FINE : event.ctrlKey || event.metaKey ? COARSE : 1);
      const grain = event.shiftKey && divisible ? FINE : 1;
      const travelled = Math.round(now.steps / grain) * grain;
      if (travelled === now.travelled) return;
      now.travelled = travelled;
      onMove(travelled);
    },
    onPointerUp() {
      const moved = drag.current?.moving;
      if (!drag.current) return;
      drag.current = null;
      if (moved) onEnd();
      else onClick();
    },
    onPointerCancel() {
      if (drag.current?.moving) onEnd();
      drag.current = null;
    },
  };
}
