/** A picture of the user's to lie under what is drawn: to trace, or to see what is where. It is not stored. */

import { Images } from "lucide-react";
import { useState } from "react";
import { useFiles } from "../widgets/files";
import { Picker } from "../widgets/Picker";

export interface TraceState {
  /** Null: nothing lies beneath. */
  name: string | null;
  url: string | null;
  /** How much of it is seen, 0 to 1. */
  strength: number;
  choose(name: string | null): void;
  show(strength: number): void;
}

export function useTrace(): TraceState {
  const files = useFiles();
  const [name, setName] = useState<string | null>(null);
  const [strength, setStrength] = useState(0.5);
  return {
    name,
    url: name === null ? null : files.server.pictureUrl(name),
    strength,
    choose: setName,
    show: setStrength,
  };
}

const NONE = "no picture";

/** Chooses the picture; nothing where there are none to choose from. */
export function Trace({ trace }: { trace: TraceState }) {
  const files = useFiles();
  const folder = files.useFolder("input");
  if (folder.names.length === 0) return null;
  return (
    <span className="trace">
      <span className="trace-label">
        <Images aria-hidden="true" /> Trace
      </span>
      <Picker
        control={{ id: "trace", disabled: undefined, "aria-describedby": undefined, "aria-invalid": undefined }}
        label="Picture to trace"
        value={trace.name ?? NONE}
        names={[NONE, ...folder.names]}
        onPick={(picked) => trace.choose(picked === NONE ? null : picked)}
      />
      {trace.name !== null && (
        <label className="mask-amount">
          <span className="visually-hidden">Strength of the traced picture</span>
          <input
            type="range"
            className="slider"
            min={10}
            max={100}
            value={trace.strength * 100}
            style={{ "--share": `${((trace.strength - 0.1) / 0.9) * 100}%` } as React.CSSProperties}
            onChange={(event) => trace.show(Number(event.target.value) / 100)}
          />
        </label>
      )}
    </span>
  );
}
