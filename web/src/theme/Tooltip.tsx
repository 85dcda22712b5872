/** A few words about a control, shown on hover after a moment and at once on keyboard focus; Esc hides them. */

import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { type Side, useFloating } from "./floating";

interface TooltipProps {
  text: ReactNode;
  side?: Side;
  /** False when the text repeats the control's name, so that a screen reader does not say it twice. */
  describes?: boolean;
  /** The one control it is about. */
  children: ReactNode;
}

const DELAY_MS = 450;

export function Tooltip({ text, side = "below", describes = true, children }: TooltipProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const wrapper = useRef<HTMLSpanElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const timer = useRef<number>(undefined);
  const control = () => wrapper.current?.firstElementChild ?? null;
  useFloating({ element: tip, anchor: () => control()?.getBoundingClientRect() ?? null, open, side });

  const show = (after: number) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setOpen(true), after);
  };
  const hide = () => {
    window.clearTimeout(timer.current);
    setOpen(false);
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  useEffect(() => {
    const described = wrapper.current?.firstElementChild;
    if (!open || !describes || !described) return;
    const before = described.getAttribute("aria-describedby");
    described.setAttribute("aria-describedby", before ? `${before} ${id}` : id);
    return () => {
      if (before) described.setAttribute("aria-describedby", before);
      else described.removeAttribute("aria-describedby");
    };
  }, [open, describes, id]);

  if (!text) return children;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the wrapper only listens; the control inside is the element
    <span
      ref={wrapper}
      className="tooltip-anchor"
      onPointerEnter={(event) => event.pointerType === "mouse" && show(DELAY_MS)}
      onPointerLeave={hide}
      onPointerDown={hide}
      onFocus={(event) => event.target.matches(":focus-visible") && show(0)}
      onBlur={hide}
      onKeyDown={(event) => event.key === "Escape" && hide()}
    >
      {children}
      {open && (
        <div ref={tip} id={id} role="tooltip" popover="manual" className="popover tooltip">
          {text}
        </div>
      )}
    </span>
  );
}
