/** The open tabs: each holds a document with its history, what is selected, and where in it the user is. */

import { createStore, type StoreApi, useStore } from "zustand";
import {
  type Change,
  close as closeDeed,
  EMPTY_WORKFLOW,
  type History,
  perform,
  redo,
  scopeOf,
  startHistory,
  undo,
  type View,
  type Workflow,
} from "../document";

/** What is selected in the scope on show. Groups and notes by index, wires by the key of the input they end at. */
export interface Selection {
  nodes: ReadonlySet<string>;
  groups: ReadonlySet<number>;
  notes: ReadonlySet<number>;
  wires: ReadonlySet<string>;
}

export const NOTHING: Selection = { nodes: new Set(), groups: new Set(), notes: new Set(), wires: new Set() };

/** Where a tab's document is kept on the server. */
export interface SavedAs {
  name: string;
  version: string;
}

/** A step into a subgraph: through which instance, into which definition. */
export interface Entered {
  node: string;
  subgraph: string;
}

export type Mood = "graph" | "form";

export interface TabState {
  readonly id: string;
  history: History;
  /** The document now: the same as `history.document`. */
  document: Workflow;
  /** The subgraphs entered, outermost first; empty at the top level. */
  path: readonly Entered[];
  selection: Selection;
  /** Where each scope was last looked at, by `scopeKey`. */
  views: Readonly<Record<string, View>>;
  saved: SavedAs | null;
  /** The document as last saved or opened; the tab has unsaved edits when it is another one. */
  savedDocument: Workflow;
  /** Whether the graph or the form view is shown. */
  mood: Mood;

  /** Edit the document; changes of one `deed` that follow each other are undone together. */
  dispatch(changes: Change | readonly Change[], deed?: string): void;
  /**
   * Edit the document without leaving a step to undo: for what showing it adds, such as places for nodes that have
   * none.
   */
  prepare(edit: (document: Workflow) => Workflow): void;
  /** End the deed under way, as when the mouse button is let go. */
  endDeed(): void;
  undo(): void;
  redo(): void;
  select(selection: Partial<Selection>): void;
  enter(node: string): void;
  /** Go back out until `depth` subgraphs are entered. */
  leave(depth: number): void;
  setView(scope: string, view: View): void;
  setMood(mood: Mood): void;
  /** Note that the document as it was when saving began is now on the server. */
  markSaved(saved: SavedAs, document: Workflow): void;
}

export type TabStore = StoreApi<TabState>;

/** The id of the subgraph on show, undefined at the top level: the `in` of a Change. */
export function scopeId(tab: Pick<TabState, "path">): string | undefined {
  return tab.path.at(-1)?.subgraph;
}

export function tabTitle(tab: Pick<TabState, "document" | "saved">): string {
  return tab.saved?.name ?? tab.document.name ?? "Untitled";
}

export function isDirty(tab: Pick<TabState, "document" | "savedDocument">): boolean {
  return tab.document !== tab.savedDocument;
}

export function createTab(document: Workflow, options: { id?: string; saved?: SavedAs | null } = {}): TabStore {
  return createStore<TabState>()((set, get) => {
    const take = (history: History) => {
      if (history === get().history) return;
      set(consistent({ ...get(), history, document: history.document }));
    };
    return {
      id: options.id ?? crypto.randomUUID(),
      history: startHistory(document),
      document,
      path: [],
      selection: NOTHING,
      views: {},
      saved: options.saved ?? null,
      savedDocument: document,
      mood: "graph",
      dispatch: (changes, deed) => take(perform(get().history, changes, deed)),
      prepare: (edit) => {
        const { document, savedDocument, history } = get();
        const next = edit(document);
        if (next === document) return;
        // Steps are patches by key, so those that there are already fit a document with more in it.
        set({
          document: next,
          history: { ...history, document: next, open: null },
          savedDocument: savedDocument === document ? next : savedDocument,
        });
      },
      endDeed: () => take(closeDeed(get().history)),
      undo: () => take(undo(get().history)),
      redo: () => take(redo(get().history)),
      select: (selection) => set({ selection: { ...NOTHING, ...selection } }),
      enter: (node) => {
        const { document, path } = get();
        const scope = scopeOf(document, path.at(-1)?.subgraph);
        const subgraph = scope?.nodes[node]?.type.match(/^subgraph:(.*)$/)?.[1];
        if (subgraph !== undefined && document.subgraphs?.[subgraph]) {
          set({ path: [...path, { node, subgraph }], selection: NOTHING });
        }
      },
      leave: (depth) => set({ path: get().path.slice(0, depth), selection: NOTHING }),
      setView: (scope, view) => set({ views: { ...get().views, [scope]: view } }),
      setMood: (mood) => set({ mood }),
      markSaved: (saved, savedDocument) => set({ saved, savedDocument }),
    };
  });
}

/** After an edit, undone perhaps: leave subgraphs that are gone and let go of what is no longer there. */
function consistent(tab: TabState): TabState {
  const gone = tab.path.findIndex((step) => !tab.document.subgraphs?.[step.subgraph]);
  const path = gone < 0 ? tab.path : tab.path.slice(0, gone);
  const scope = scopeOf(tab.document, path.at(-1)?.subgraph);
  const nodes = new Set([...tab.selection.nodes].filter((id) => scope?.nodes[id]));
  const selection = nodes.size === tab.selection.nodes.size ? tab.selection : { ...tab.selection, nodes };
  return { ...tab, path, selection: path === tab.path ? selection : NOTHING };
}

interface Tabs {
  tabs: readonly TabStore[];
  /** Id of the tab on show. */
  active: string;
  open(document: Workflow, options?: { saved?: SavedAs | null; id?: string }): TabStore;
  close(id: string): void;
  activate(id: string): void;
  move(id: string, index: number): void;
}

const first = createTab(EMPTY_WORKFLOW);

export const tabsStore = createStore<Tabs>()((set, get) => ({
  tabs: [first],
  active: first.getState().id,
  open: (document, options) => {
    const tab = createTab(document, options);
    const { tabs } = get();
    // The empty tab that the editor starts with gives way to the first document.
    const kept = tabs.filter((each) => each !== first || each.getState().document !== EMPTY_WORKFLOW);
    set({ tabs: [...kept, tab], active: tab.getState().id });
    return tab;
  },
  close: (id) => {
    const { tabs, active } = get();
    const index = tabs.findIndex((tab) => tab.getState().id === id);
    if (index < 0) return;
    const rest = tabs.filter((_, at) => at !== index);
    const left = rest.length > 0 ? rest : [createTab(EMPTY_WORKFLOW)];
    const next = left[Math.min(index, left.length - 1)];
    set({ tabs: left, active: active === id && next ? next.getState().id : active });
  },
  activate: (id) => set({ active: id }),
  move: (id, index) => {
    const { tabs } = get();
    const tab = tabs.find((each) => each.getState().id === id);
    if (!tab) return;
    const rest = tabs.filter((each) => each !== tab);
    set({ tabs: [...rest.slice(0, index), tab, ...rest.slice(index)] });
  },
}));

export function useTabs<T>(selector: (tabs: Tabs) => T): T {
  return useStore(tabsStore, selector);
}

/** The store of the tab on show, outside of rendering. */
export function activeTab(): TabStore {
  const { tabs, active } = tabsStore.getState();
  return tabs.find((tab) => tab.getState().id === active) ?? (tabs[0] as TabStore);
}

/** Part of the tab on show: its document, selection, dispatch, ... */
export function useTab<T>(selector: (tab: TabState) => T): T {
  const tab = useTabs((state) => state.tabs.find((each) => each.getState().id === state.active) ?? state.tabs[0]);
  return useStore(tab as TabStore, selector);
}
