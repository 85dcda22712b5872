/** One of a few choices, all in sight. One stop of the Tab key; arrows choose. */

import { type KeyboardEvent, type ReactNode, useRef } from "react";

export interface Choice<T extends string> {
  value: T;
  label: string;
  icon?: ReactNode;
  /** Show the icon alone; the label is its name. */
  iconOnly?: boolean;
}

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  choices: Choice<T>[];
  onChange(value: T): void;
  disabled?: boolean;
}

export function Segmented<T extends string>({ label, value, choices, onChange, disabled }: SegmentedProps<T>) {
  const group = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const now = choices.findIndex((each) => each.value === value);
    const index = (now + step + choices.length) % choices.length;
    const next = choices[index];
    if (next) onChange(next.value);
    group.current?.querySelectorAll<HTMLElement>('[role="radio"]')[index]?.focus();
  };
  return (
    <div ref={group} role="radiogroup" aria-label={label} className="segmented" onKeyDown={onKeyDown}>
      {choices.map((choice) => (
        // biome-ignore lint/a11y/useSemanticElements: a segment is a button that looks like one; arrows work as in a group
        <button
          key={choice.value}
          type="button"
          role="radio"
          aria-checked={choice.value === value}
          aria-label={choice.iconOnly ? choice.label : undefined}
          title={choice.iconOnly ? choice.label : undefined}
          tabIndex={choice.value === value ? 0 : -1}
          disabled={disabled}
          className="segment"
          onClick={() => onChange(choice.value)}
        >
          {choice.icon}
          {!choice.iconOnly && choice.label}
        </button>
      ))}
    </div>
  );
}
