/**
 * Place an element beside another, in the browser's top layer: above every panel and dialog, clipped by none, and not
 * scaled with the canvas it was opened from.
 */

import { type RefObject, useLayoutEffect } from "react";

export interface Anchor {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export type Side = "below" | "above" | "right";

const GAP = 4;
const MARGIN = 8;

interface Size {
  width: number;
  height: number;
}

/**
 * The corner where an element of `size` goes: on the wanted side of `anchor`, on the other one when it would not fit
 * there, and always inside the window.
 */
export function place(anchor: Anchor, size: Size, window: Size, side: Side): { left: number; top: number } {
  const below = anchor.bottom + GAP;
  const above = anchor.top - GAP - size.height;
  const fitsBelow = below + size.height <= window.height - MARGIN;
  if (side === "right") {
    const right = anchor.right + GAP;
    const fits = right + size.width <= window.width - MARGIN;
    const left = fits ? right : anchor.left - GAP - size.width;
    return { left: within(left, size.width, window.width), top: within(anchor.top, size.height, window.height) };
  }
  const goBelow = side === "below" ? fitsBelow || above < MARGIN : above < MARGIN && fitsBelow;
  return {
    left: within(anchor.left, size.width, window.width),
    top: within(goBelow ? below : above, size.height, window.height),
  };
}

function within(start: number, length: number, available: number): number {
  return Math.max(MARGIN, Math.min(start, available - MARGIN - length));
}

interface Floating {
  element: RefObject<HTMLElement | null>;
  anchor: () => Anchor | null;
  open: boolean;
  side?: Side;
  /** Make it at least as wide as its anchor. */
  matchWidth?: boolean;
}

/** Show `element` as a popover beside its anchor while `open`, and keep it there when it or the window changes size. */
export function useFloating({ element, anchor, open, side = "below", matchWidth = false }: Floating): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: `anchor` is read afresh each time and is new each render
  useLayoutEffect(() => {
    const floating = element.current;
    if (!open || !floating) return;
    floating.showPopover?.();
    const update = () => {
      const beside = anchor();
      if (!beside) return;
      if (matchWidth) floating.style.minWidth = `${beside.right - beside.left}px`;
      floating.style.maxHeight = `${Math.max(160, Math.min(420, window.innerHeight - 2 * MARGIN))}px`;
      const size = { width: floating.offsetWidth, height: floating.offsetHeight };
      const { left, top } = place(beside, size, { width: window.innerWidth, height: window.innerHeight }, side);
      floating.style.left = `${left}px`;
      floating.style.top = `${top}px`;
    };
    update();
    const sizes = new ResizeObserver(update);
    sizes.observe(floating);
    window.addEventListener("resize", update);
    return () => {
      sizes.disconnect();
      window.removeEventListener("resize", update);
      if (floating.isConnected && floating.matches(":popover-open")) floating.hidePopover();
    };
  }, [open, side, matchWidth, element]);
}

/** Call `close` on a press outside all of `inside`, and when what is around scrolls or zooms away. */
export function useDismiss(open: boolean, inside: RefObject<HTMLElement | null>[], close: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the refs are stable, their list is new each render
  useLayoutEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      const target = event.target instanceof Node ? event.target : null;
      if (!inside.some((each) => each.current?.contains(target))) close();
    };
    window.addEventListener("pointerdown", outside, true);
    window.addEventListener("wheel", outside, { capture: true, passive: true });
    window.addEventListener("blur", close);
    return () => {
      window.removeEventListener("pointerdown", outside, true);
      window.removeEventListener("wheel", outside, true);
      window.removeEventListener("blur", close);
    };
  }, [open, close]);
}
