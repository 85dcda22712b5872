/** The smallest parts: a chip, keys, a search field, and what stands where nothing is yet. */

import { Search } from "lucide-react";
import type { InputHTMLAttributes, ReactNode } from "react";
import { classes } from "./Button";

interface ChipProps {
  tone?: "neutral" | "accent" | "success" | "warning" | "danger";
  children: ReactNode;
}

export function Chip({ tone = "neutral", children }: ChipProps) {
  return <span className={classes("chip", tone !== "neutral" && `chip-${tone}`)}>{children}</span>;
}

/** Keys as one reads them: `<Keys of="Ctrl+Enter" />`. */
export function Keys({ of }: { of: string }) {
  return (
    <span>
      {of.split("+").map((key) => (
        <kbd key={key} className="kbd">
          {key}
        </kbd>
      ))}
    </span>
  );
}

interface SearchInputProps extends InputHTMLAttributes<HTMLInputElement> {
  /** Its name, and its placeholder when there is no other. */
  label: string;
}

export function SearchInput({ label, className, ...rest }: SearchInputProps) {
  return (
    <span className={classes("search-input", className)}>
      <Search aria-hidden="true" />
      <input type="search" className="input" placeholder={label} {...rest} aria-label={label} />
    </span>
  );
}

interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  /** What will be here, and how it gets here. */
  children?: ReactNode;
  /** Buttons that lead on. */
  actions?: ReactNode;
}

export function EmptyState({ icon, title, children, actions }: EmptyStateProps) {
  return (
    <div className="empty">
      {icon}
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {actions && <div className="empty-actions">{actions}</div>}
    </div>
  );
}
