/** Short messages in the corner of the window. What they are and how long they stay is the caller's to say. */

import { CircleAlert, CircleCheck, Info, TriangleAlert, X } from "lucide-react";
import { Button, classes, IconButton } from "./Button";

export interface ToastMessage {
  id: number;
  kind: "info" | "success" | "warning" | "error";
  text: string;
  action?: { title: string; run(): void };
}

interface ToastsProps {
  messages: readonly ToastMessage[];
  onDismiss(id: number): void;
}

const ICONS = { info: Info, success: CircleCheck, warning: TriangleAlert, error: CircleAlert };

/** Mounted once and always, also while there is no message: a live region that comes with its text is not read out. */
export function Toasts({ messages, onDismiss }: ToastsProps) {
  return (
    <section className="toasts" aria-label="Messages" aria-live="polite">
      {messages.map((message) => (
        <Toast key={message.id} message={message} onDismiss={() => onDismiss(message.id)} />
      ))}
    </section>
  );
}

function Toast({ message, onDismiss }: { message: ToastMessage; onDismiss(): void }) {
  const { kind, text, action } = message;
  const Icon = ICONS[kind];
  return (
    <div role={kind === "error" ? "alert" : "status"} className={classes("toast", `toast-${kind}`)}>
      <Icon aria-hidden="true" />
      <div className="toast-main">
        <div className="toast-text">{text}</div>
        {action && (
          <Button
            size="small"
            onClick={() => {
              onDismiss();
              action.run();
            }}
          >
            {action.title}
          </Button>
        )}
      </div>
      <IconButton label="Close message" size="small" onClick={onDismiss}>
        <X />
      </IconButton>
    </div>
  );
}
