/** Short messages at the edge of the window: what happened, and what can be done about it. */

import { createStore, useStore } from "zustand";

export interface Notice {
  id: number;
  kind: "info" | "success" | "warning" | "error";
  text: string;
  action?: { title: string; run: () => void };
}

interface Notices {
  notices: readonly Notice[];
  /** Show a message; errors stay until they are closed. */
  notify(notice: Omit<Notice, "id">): void;
  dismiss(id: number): void;
}

/** How long a message that is not an error stays, in ms. */
const SHOWN_MS = 6000;
let last = 0;

export const noticeStore = createStore<Notices>()((set, get) => ({
  notices: [],
  notify: (notice) => {
    last += 1;
    const id = last;
    set({ notices: [...get().notices.slice(-3), { ...notice, id }] });
    if (notice.kind !== "error") setTimeout(() => get().dismiss(id), SHOWN_MS);
  },
  dismiss: (id) => set({ notices: get().notices.filter((notice) => notice.id !== id) }),
}));

export function notify(notice: Omit<Notice, "id">): void {
  noticeStore.getState().notify(notice);
}

export function useNotices(): readonly Notice[] {
  return useStore(noticeStore, (state) => state.notices);
}
