/**
 * A window over the editor. The browser's own <dialog> keeps the focus inside, makes the rest inert, gives the focus
 * back when it closes, and lies above everything.
 */

import { X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { classes, IconButton } from "./Button";

interface DialogProps {
  title: string;
  /** A sentence under the title. */
  description?: ReactNode;
  onClose(): void;
  size?: "small" | "medium" | "large" | "full";
  /** Buttons, the main one last. */
  footer?: ReactNode;
  /** The content fills the dialog to its edges and scrolls by itself. */
  flush?: boolean;
  /** There is nothing to press in the content: it takes the focus itself, so that the keyboard scrolls it. */
  reading?: boolean;
  /** Keys pressed anywhere in it. The editor's own shortcuts rest while it is open. */
  onKeyDown?(event: KeyboardEvent): void;
  children: ReactNode;
}

/** Open for as long as it is mounted. Esc, the cross and a click beside it call `onClose`. */
export function Dialog(props: DialogProps) {
  const {
    title,
    description,
    onClose,
    size = "small",
    footer,
    flush = false,
    reading = false,
    onKeyDown,
    children,
  } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const pressedOutside = useRef(false);
  const id = useId();
  // While it is still on the page when it closes: only then the browser gives the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element?.open) element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}title`}
      aria-describedby={description ? `${id}description` : undefined}
      className={classes("dialog nodrag nowheel nopan nokey", `dialog-${size}`)}
      onCancel={(event) => {
        if (event.target !== dialog.current) return; // a file chooser inside was cancelled
        event.preventDefault();
        onClose();
      }}
      // A selection that is dragged out of a text field ends outside, but was not meant to close anything.
      onPointerDown={(event) => {
        pressedOutside.current = event.target === dialog.current && outside(event, dialog.current);
      }}
      onClick={(event) => {
        if (pressedOutside.current && event.target === dialog.current) onClose();
        pressedOutside.current = false;
      }}
      onKeyDown={(event) => {
        onKeyDown?.(event);
        event.stopPropagation();
      }}
    >
      <header className="dialog-header">
        <div>
          <h2 id={`${id}title`}>{title}</h2>
          {description && <p id={`${id}description`}>{description}</p>}
        </div>
        <IconButton label="Close" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      <div className={flush ? "dialog-body dialog-body-flush" : "dialog-body"} tabIndex={reading ? 0 : undefined}>
        {children}
      </div>
      {footer && <footer className="dialog-footer">{footer}</footer>}
    </dialog>
  );
}

function outside(point: { clientX: number; clientY: number }, dialog: HTMLDialogElement): boolean {
  const box = dialog.getBoundingClientRect();
  return point.clientX < box.left || point.clientX > box.right || point.clientY < box.top || point.clientY > box.bottom;
}
