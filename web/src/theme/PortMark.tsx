/** A port type's shape in its colour, 10 px. */

import { classes } from "./Button";
import { type PortShape, portLook } from "./ports";

interface PortMarkProps {
  type: string;
  /** Filled when something is connected. */
  filled?: boolean;
  className?: string;
}

const PATHS: Readonly<Record<PortShape, string>> = {
  circle: "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Z",
  ring: "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Zm0 2.6a1.9 1.9 0 1 0 0 3.8 1.9 1.9 0 0 0 0-3.8Z",
  square: "M2 2h8v8H2Z",
  diamond: "M6 .8 11.2 6 6 11.2.8 6Z",
  triangle: "M1.6 1.2 11 6 1.6 10.8Z",
  hexagon: "M3.4 1.3h5.2L11.2 6 8.6 10.7H3.4L.8 6Z",
  star: "m6 .6 1.6 3.6 3.9.4-2.9 2.6.8 3.9L6 9.1l-3.4 2 .8-3.9L.5 4.6l3.9-.4Z",
  pill: "M4 3h4a3 3 0 0 1 0 6H4a3 3 0 0 1 0-6Z",
};

export function PortMark({ type, filled = true, className }: PortMarkProps) {
  const { colour, shape } = portLook(type);
  return (
    <svg
      viewBox="0 0 12 12"
      width="12"
      height="12"
      aria-hidden="true"
      className={classes("port-mark", className)}
      style={{ color: colour }}
    >
      <path
        d={PATHS[shape]}
        fill={filled ? "currentColor" : "var(--node)"}
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinejoin="round"
        fillRule="evenodd"
      />
    </svg>
  );
}
