/**
 * Whether the canvas is at rest. While it moves, nodes that come into view show their values as plain text, which
 * costs a fraction of real widgets; a moment after it rests they become real, and stay so.
 */

import { startTransition, useEffect, useState } from "react";
import { createStore } from "zustand";

const stillStore = createStore<{ still: boolean; timer: ReturnType<typeof setTimeout> | undefined }>()(() => ({
  still: true,
  timer: undefined,
}));

/** How long nothing may have moved, in ms. */
const REST_MS = 140;

/** Tell that the canvas moved just now. */
export function stir(): void {
  clearTimeout(stillStore.getState().timer);
  const timer = setTimeout(() => stillStore.setState({ still: true }), REST_MS);
  stillStore.setState({ still: false, timer });
}

/** Whether to show the real thing: true once the canvas was at rest while the component was there. */
export function useReal(): boolean {
  const [real, setReal] = useState(() => stillStore.getState().still);
  useEffect(() => {
    if (real) return;
    return stillStore.subscribe(({ still }) => {
      // In slices, so that many nodes at once do not hold up the next movement.
      if (still) startTransition(() => setReal(true));
    });
  }, [real]);
  return real;
}
