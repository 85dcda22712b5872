import type { InputSchema, JsonValue, Problem, SeedMode } from "../document";

export interface WidgetProps {
  schema: InputSchema;
  value: JsonValue | undefined;
  /** `final`: false while a drag or typing goes on. */
  onChange(value: JsonValue, final?: boolean): void;
  disabled?: boolean;
  problem?: Problem;
  nodeId?: string;
  compact?: boolean;
  seedMode?: SeedMode;
  onSeedMode?(mode: SeedMode): void;
}

/** How an unconnected input is edited. (A stand-in until WEB-B's arrives.) */
export function Widget({ schema, value, onChange, disabled }: WidgetProps) {
  return (
    <input
      aria-label={schema.name}
      disabled={disabled}
      value={String(value ?? schema.default ?? "")}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
