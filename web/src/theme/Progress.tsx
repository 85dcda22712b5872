/** Waiting: a bar when it is known how far, a spinner when it is not. */

import { classes } from "./Button";

interface ProgressProps {
  /** What is under way, for screen readers. */
  label: string;
  /** 0 to 1; null while it cannot be told. */
  value: number | null;
  className?: string;
}

export function Progress({ label, value, className }: ProgressProps) {
  const share = value === null ? null : Math.min(1, Math.max(0, value));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      className={classes("progress", share === null && "progress-unknown", className)}
    >
      <div style={share === null ? undefined : { transform: `scaleX(${share})` }} />
    </div>
  );
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}
