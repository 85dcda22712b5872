/** The text in a field while it is typed in: apart from the value until Enter or leaving the field, gone with Esc. */

import { useState } from "react";

export interface FieldText {
  /** What the field shows. */
  text: string;
  typing: boolean;
  type(text: string): void;
  /** End typing; gives what was typed, or null when nothing was. */
  finish(): string | null;
}

export function useFieldText(value: string): FieldText {
  const [draft, setDraft] = useState<string | null>(null);
  return {
    text: draft ?? value,
    typing: draft !== null,
    type: setDraft,
    finish() {
      setDraft(null);
      return draft === value ? null : draft;
    },
  };
}
