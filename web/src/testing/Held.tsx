/** A widget that holds its own value, for tests: what a node or a form is around it. */

import { useState } from "react";
import type { InputSchema, JsonValue, Problem, SeedMode } from "../document";
import { Widget } from "../widgets";

export interface Told {
  value: JsonValue;
  final: boolean | undefined;
}

interface HeldProps {
  schema: InputSchema;
  start?: JsonValue;
  /** Gets every change, in order. */
  told: Told[];
  compact?: boolean;
  disabled?: boolean;
  problem?: Problem;
  checkpoint?(): string | undefined;
}

export function Held({ schema, start, told, ...rest }: HeldProps) {
  const [value, setValue] = useState(start);
  const [mode, setMode] = useState<SeedMode>("fixed");
  return (
    <Widget
      {...rest}
      schema={schema}
      value={value}
      seedMode={mode}
      onSeedMode={setMode}
      onChange={(value, final) => {
        told.push({ value, final });
        setValue(value);
      }}
    />
  );
}
