/**
 * The user's files, as widgets need them: the names in a folder, a picture's address, uploading.
 *
 * Names are asked for once for all widgets of a folder, and again when a list is opened.
 */

import { createContext, useContext, useEffect } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import { sentence } from "../api/errors";
import { client } from "../live/server";
import { fileServer } from "./fileServer";

export interface Folder {
  names: readonly string[];
  /** `loading` only while there are no names from before. */
  state: "loading" | "ready" | "failed";
  error: string;
}

/** What the server does for widgets. */
export interface FileServer {
  folder(folder: string): Promise<string[]>;
  /** Store a picture among the inputs; gives the name to use. */
  upload(file: Blob, name: string): Promise<string>;
  /**
   * Store a copy of the input picture `original` whose mask is `mask`: a PNG of the same size, transparent where
   * the picture is to be repainted. Gives the copy's name.
   */
  uploadMask(mask: Blob, original: string): Promise<string>;
  /** The names of what a checkpoint knows: classes, or kinds of things to put in boxes. None where it does not say. */
  classes(checkpoint: string): Promise<string[]>;
  /** Where an input picture is, whole or at most `thumbnail` pixels wide and high. */
  pictureUrl(name: string, thumbnail?: number): string;
}

const UNKNOWN: Folder = { names: [], state: "loading", error: "" };

export class Files {
  private readonly folders: StoreApi<Record<string, Folder>>;
  private readonly asking = new Map<string, Promise<void>>();

  constructor(readonly server: FileServer) {
    this.folders = createStore(() => ({}));
  }

  /** Ask what is in a folder now; those who ask at the same time share the answer. */
  refresh(folder: string): Promise<void> {
    const under = this.asking.get(folder);
    if (under) return under;
    const asked = this.ask(folder).finally(() => this.asking.delete(folder));
    this.asking.set(folder, asked);
    return asked;
  }

  async upload(file: Blob, name: string): Promise<string> {
    const stored = await this.server.upload(file, name);
    await this.refresh("input");
    return stored;
  }

  async uploadMask(mask: Blob, original: string): Promise<string> {
    const stored = await this.server.uploadMask(mask, original);
    await this.refresh("input");
    return stored;
  }

  useFolder(folder: string): Folder {
    const known = useStore(this.folders, (folders) => folders[folder]);
    useEffect(() => {
      if (!this.folders.getState()[folder]) void this.refresh(folder);
    }, [folder]);
    return known ?? UNKNOWN;
  }

  private async ask(folder: string): Promise<void> {
    const before = this.folders.getState()[folder] ?? UNKNOWN;
    const put = (now: Folder) => this.folders.setState({ [folder]: now });
    try {
      put({ names: await this.server.folder(folder), state: "ready", error: "" });
    } catch (error) {
      put({ names: before.names, state: "failed", error: sentence(error) });
    }
  }
}

/** The files of the server that the page came from; a test puts others around its widgets. */
export const FilesContext = createContext(new Files(fileServer(client)));

export function useFiles(): Files {
  return useContext(FilesContext);
}
