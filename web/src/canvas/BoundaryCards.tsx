/** Inside a subgraph: what comes in from around it and what it gives back, beside its nodes. */

import { X } from "lucide-react";
import { useMemo } from "react";
import { here } from "../app/actions";
import { useTab } from "../app/store";
import { type Subgraph, scopeOf } from "../document";
import { IconButton, PortMark, portLook } from "../theme";
import { useBoard } from "./board";
import { type BoundaryCard, type BoundaryPort, boundaryOf, type Entrance } from "./boundary";
import type { Scene } from "./scene";

export function BoundaryCards({ scene }: { scene: Scene }) {
  const heights = useBoard((board) => board.heights);
  const document = useTab((tab) => tab.document);
  const path = useTab((tab) => tab.path);
  const last = path.at(-1);
  const subgraph = last && document.subgraphs?.[last.subgraph];
  const around = scopeOf(document, path.at(-2)?.subgraph);
  const boundary = useMemo(() => {
    const entrance: Entrance | undefined = last && around ? { scope: around, node: last.node } : undefined;
    return subgraph && boundaryOf(scene, heights, subgraph, entrance);
  }, [scene, heights, subgraph, around, last]);
  if (!boundary || !subgraph) return null;
  const { inputs, outputs } = boundary;
  return (
    <>
      <svg className="wires wires-boundary" aria-hidden="true">
        <title>Wires from and to what is around the subgraph</title>
        {[...(inputs?.ports ?? []), ...(outputs?.ports ?? [])].flatMap((port) =>
          port.paths.map((line) => (
            <g key={`${port.name} ${line}`} className="wire" style={{ color: portLook(port.type).colour }}>
              <path className="wire-line" d={line} />
            </g>
          )),
        )}
      </svg>
      {inputs && <Card side="inputs" card={inputs} subgraph={subgraph} />}
      {outputs && <Card side="outputs" card={outputs} subgraph={subgraph} />}
    </>
  );
}

interface CardProps {
  side: "inputs" | "outputs";
  card: BoundaryCard;
  subgraph: Subgraph;
}

function Card({ side, card: { rect, ports }, subgraph }: CardProps) {
  const title = side === "inputs" ? "Inputs" : "Outputs";
  const of = subgraph.name || "the subgraph";
  const take = (name: string) => {
    const { tab, id } = here();
    const left = { [side]: subgraph[side].filter((each) => each.name !== name) };
    if (id !== undefined) tab.dispatch({ type: "editSubgraph", id, patch: left });
  };
  return (
    <section
      className={`boundary boundary-${side} nopan`}
      aria-label={`${title} of ${of}`}
      style={{ left: rect.x, top: rect.y, width: rect.width, height: rect.height }}
    >
      <h2>{title}</h2>
      <ul>
        {ports.map((port) => (
          <li key={port.name} title={describe(port)}>
            <PortMark type={port.type} filled={port.paths.length > 0} />
            <span className="boundary-name">{port.name.replaceAll("_", " ")}</span>
            <span className="boundary-given">{port.given}</span>
            <IconButton label={`Take ${port.name} off`} size="small" onClick={() => take(port.name)}>
              <X />
            </IconButton>
          </li>
        ))}
      </ul>
    </section>
  );
}

function describe({ name, type, ends, given }: BoundaryPort): string {
  return [`${name}: ${type}`, ends.join(", "), ...(given === undefined ? [] : [`here: ${given}`])].join("\n");
}
