/** A slider with its figure, for a tool bar. */

import { classes } from "../theme";

interface AmountProps {
  label: string;
  value: number;
  unit: string;
  least?: number;
  most?: number;
  keys?: string;
  /** Left out where there is little room. */
  minor?: boolean;
  onChange(value: number): void;
}

export function Amount({ label, value, unit, least = 0, most = 100, keys, minor, onChange }: AmountProps) {
  const share = ((value - least) / (most - least)) * 100;
  return (
    <label className={classes("mask-amount", minor && "mask-minor")} title={keys && `Keys: ${keys}`}>
      <span>{label}</span>
      <input
        type="range"
        className="slider"
        min={least}
        max={most}
        value={value}
        style={{ "--share": `${share}%` } as React.CSSProperties}
        onChange={(event) => onChange(Number(event.target.value))}
      />
      <output>
        {value}
        {unit}
      </output>
    </label>
  );
}
