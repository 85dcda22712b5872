/** The line along which wires are being cut. */

import type { Point } from "../document";

export interface Cut {
  /** In the window. */
  line: Point[];
  /** How many wires it crosses. */
  wires: number;
}

export function CutLine({ cut }: { cut: Cut }) {
  const last = cut.line.at(-1);
  return (
    <svg className="cut" aria-hidden="true">
      <title>Cut</title>
      <polyline points={cut.line.map((point) => point.join(",")).join(" ")} />
      {last && cut.wires > 0 && (
        <text x={last[0] + 12} y={last[1] - 8}>
          {cut.wires}
        </text>
      )}
    </svg>
  );
}
