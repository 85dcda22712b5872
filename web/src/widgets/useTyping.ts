/** Tell of every letter as it is typed, and once at the end: so that one undo takes back all of it. */

import { useRef } from "react";
import type { WidgetProps } from "./types";

export function useTyping(onChange: WidgetProps["onChange"]): { type(text: string): void; end(): void } {
  const typed = useRef<string | null>(null);
  return {
    type(text) {
      typed.current = text;
      onChange(text, false);
    },
    end() {
      if (typed.current !== null) onChange(typed.current, true);
      typed.current = null;
    },
  };
}
