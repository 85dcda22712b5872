/** The pictures there are: pages of them, kept true while jobs finish, with deletion that can be undone. */

import { createStore, useStore } from "zustand";
import type { FileRef, OutputFile } from "../api/answers";
import { ApiError } from "../api/errors";
import { notify } from "../app/notices";
import { attempt } from "./attempt";
import { fileKey } from "./pictures";
import { client } from "./server";

interface Gallery {
  files: readonly OutputFile[];
  total: number;
  search: string;
  state: "new" | "loading" | "ready" | "failed";
  /** Deleted, but it can still be undone. */
  hidden: ReadonlySet<string>;
  /** Chosen for comparing, at most two, the first first. */
  chosen: readonly OutputFile[];
}

const PAGE = 60;
/** How long a deletion can be undone, in ms: as long as its message stays. */
const UNDO_MS = 6000;

export const galleryStore = createStore<Gallery>()(() => ({
  files: [],
  total: 0,
  search: "",
  state: "new",
  hidden: new Set(),
  chosen: [],
}));

export function useGallery<T>(selector: (gallery: Gallery) => T): T {
  return useStore(galleryStore, selector);
}

/** Read the first page anew. */
export async function loadGallery(search = galleryStore.getState().search): Promise<void> {
  galleryStore.setState({ search, state: "loading" });
  try {
    const page = await client.outputs({ limit: PAGE, q: search });
    if (galleryStore.getState().search === search) galleryStore.setState({ ...page, state: "ready" });
  } catch (error) {
    galleryStore.setState({ state: "failed" });
    throw error;
  }
}

export async function loadMorePictures(): Promise<void> {
  const { files, search, state } = galleryStore.getState();
  if (state === "loading") return;
  galleryStore.setState({ state: "loading" });
  try {
    const page = await client.outputs({ limit: PAGE, offset: files.length, q: search });
    const known = new Set(files.map(fileKey));
    const more = page.files.filter((file) => !known.has(fileKey(file)));
    galleryStore.setState({ files: [...files, ...more], total: page.total });
  } finally {
    galleryStore.setState({ state: "ready" });
  }
}

/** Choose a picture for comparing, or no longer; a third one takes the place of the first. */
export function choose(file: OutputFile): void {
  galleryStore.setState(({ chosen }) => {
    const key = fileKey(file);
    const rest = chosen.filter((each) => fileKey(each) !== key);
    return { chosen: rest.length < chosen.length ? rest : [...rest.slice(-1), file] };
  });
}

/** Take a picture away; for some seconds it can be had back, and only then the file is deleted. */
export function deletePicture(file: FileRef): void {
  const key = fileKey(file);
  hide(key, true);
  const timer = setTimeout(() => void deleteForGood(file, key), UNDO_MS);
  notify({
    kind: "info",
    text: `${file.filename} was deleted.`,
    action: {
      title: "Undo",
      run: () => {
        clearTimeout(timer);
        hide(key, false);
      },
    },
  });
}

async function deleteForGood(file: FileRef, key: string): Promise<void> {
  const deleted = await attempt(`${file.filename} could not be deleted`, async () => {
    await client.deleteOutput(file).catch((error) => {
      // It is gone already: what was wanted.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    });
    return true;
  });
  if (deleted) {
    galleryStore.setState(({ files, total }) => ({
      files: files.filter((each) => fileKey(each) !== key),
      total: Math.max(0, total - 1),
    }));
  }
  hide(key, false);
}

function hide(key: string, hidden: boolean): void {
  galleryStore.setState((now) => {
    const next = new Set(now.hidden);
    if (hidden) next.add(key);
    else next.delete(key);
    return { hidden: next, chosen: now.chosen.filter((file) => !next.has(fileKey(file))) };
  });
}
