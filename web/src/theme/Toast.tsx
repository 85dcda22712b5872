/** Short messages that come up in the corner. Errors stay until they are closed; others leave after some seconds. */

import { CircleAlert, CircleCheck, Info, TriangleAlert, X } from "lucide-react";
import { useEffect } from "react";
import { create } from "zustand";
import { Button, classes, IconButton } from "./Button";

export interface Toast {
  id: number;
  kind: "info" | "success" | "warning" | "error";
  title: string;
  text?: string;
  action?: { label: string; onSelect(): void };
}

interface ToastState {
  toasts: Toast[];
  /** Show a message; returns its id. One with the same kind, title and text replaces the one that is there. */
  show(toast: Omit<Toast, "id">): number;
  dismiss(id: number): void;
}

const LONGEST_STACK = 4;
const STAY_MS = 6000;

export const useToasts = create<ToastState>((set, get) => ({
  toasts: [],
  show(toast) {
    const id = Math.max(0, ...get().toasts.map((each) => each.id)) + 1;
    const others = get().toasts.filter((each) => !same(each, toast));
    set({ toasts: [...others, { ...toast, id }].slice(-LONGEST_STACK) });
    return id;
  },
  dismiss(id) {
    set({ toasts: get().toasts.filter((each) => each.id !== id) });
  },
}));

/** Show a message from anywhere: `toast({ kind: "success", title: "Saved" })`. */
export function toast(message: Omit<Toast, "id">): number {
  return useToasts.getState().show(message);
}

/** Where messages appear; mounted once, in the shell. */
export function Toasts() {
  const toasts = useToasts((state) => state.toasts);
  return (
    <section className="toasts" aria-label="Messages" aria-live="polite">
      {toasts.map((each) => (
        <OneToast key={each.id} toast={each} />
      ))}
    </section>
  );
}

const ICONS = { info: Info, success: CircleCheck, warning: TriangleAlert, error: CircleAlert };

function OneToast({ toast }: { toast: Toast }) {
  const dismiss = useToasts((state) => state.dismiss);
  const stays = toast.kind === "error" || toast.action !== undefined;
  useEffect(() => {
    if (stays) return;
    const timer = window.setTimeout(() => dismiss(toast.id), STAY_MS);
    return () => window.clearTimeout(timer);
  }, [stays, toast.id, dismiss]);
  const Icon = ICONS[toast.kind];
  return (
    <div role={toast.kind === "error" ? "alert" : "status"} className={classes("toast", `toast-${toast.kind}`)}>
      <Icon aria-hidden="true" />
      <div className="toast-main">
        <div className="toast-title">{toast.title}</div>
        {toast.text && <div className="toast-text">{toast.text}</div>}
        {toast.action && (
          <Button
            size="small"
            onClick={() => {
              dismiss(toast.id);
              toast.action?.onSelect();
            }}
          >
            {toast.action.label}
          </Button>
        )}
      </div>
      <IconButton label="Close message" size="small" onClick={() => dismiss(toast.id)}>
        <X />
      </IconButton>
    </div>
  );
}

function same(one: Omit<Toast, "id">, other: Omit<Toast, "id">): boolean {
  return one.kind === other.kind && one.title === other.title && one.text === other.text;
}
