/** Buttons: with words, or with an icon and a name that a tooltip and a screen reader tell. */

import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Spinner } from "./Progress";
import { Tooltip } from "./Tooltip";

export type ButtonKind = "plain" | "primary" | "quiet" | "danger" | "link";
export type ButtonSize = "small" | "medium" | "large";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind;
  size?: ButtonSize;
  icon?: ReactNode;
  /** Something is under way: shows a spinner and takes no clicks. */
  busy?: boolean;
}

export function Button({ kind = "plain", size = "medium", icon, busy, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      className={classes("button", `button-${kind}`, size !== "medium" && `button-${size}`, className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, "icon" | "children"> {
  /** What it does: the accessible name and the tooltip. */
  label: string;
  /** Shown behind the label in the tooltip: `Ctrl+Enter`. */
  shortcut?: string;
  /** For a button that stays in. */
  pressed?: boolean;
  children: ReactNode;
}

export function IconButton({
  label,
  shortcut,
  pressed,
  kind = "quiet",
  className,
  children,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip text={shortcut ? `${label} (${shortcut})` : label} describes={false}>
      <Button
        {...rest}
        kind={kind}
        aria-label={label}
        aria-pressed={pressed}
        className={classes("button-icon", className)}
        icon={children}
      />
    </Tooltip>
  );
}

/** Join class names, leaving out what is false. */
export function classes(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}
