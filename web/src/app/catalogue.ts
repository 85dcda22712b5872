/** The node types there are. The API client puts them in; everything else looks them up. */

import { createStore, useStore } from "zustand";
import type { Catalogue, NodeSchema } from "../document";

/** A package of nodes, and what is wrong with it. */
export interface PluginState {
  name: string;
  nodes: string[];
  problems: string[];
}

interface CatalogueState {
  nodes: Catalogue;
  plugins: readonly PluginState[];
  /** `loading` until a first catalogue came; `failed` when none can be had. */
  state: "loading" | "ready" | "failed";
  /** Whether a worker said so since the server started; before that the nodes are those of the last time, or none. */
  confirmed: boolean;
  etag: string | null;
  put(nodes: readonly NodeSchema[], plugins?: readonly PluginState[], etag?: string | null, confirmed?: boolean): void;
  fail(): void;
}

export const catalogueStore = createStore<CatalogueState>()((set) => ({
  nodes: new Map(),
  plugins: [],
  state: "loading",
  confirmed: false,
  etag: null,
  put: (nodes, plugins = [], etag = null, confirmed = true) =>
    set({ nodes: new Map(nodes.map((node) => [node.name, node])), plugins, state: "ready", etag, confirmed }),
  fail: () => set((now) => ({ state: now.nodes.size > 0 ? now.state : "failed" })),
}));

export function useCatalogue(): Catalogue {
  return useStore(catalogueStore, (state) => state.nodes);
}

export function useCatalogueState<T>(selector: (state: CatalogueState) => T): T {
  return useStore(catalogueStore, selector);
}

export function useSchema(type: string): NodeSchema | undefined {
  return useStore(catalogueStore, (state) => state.nodes.get(type));
}
