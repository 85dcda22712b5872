/** All nodes as a tree: to read about, to drag onto the canvas, to add by double-click or Enter. */

import { ChevronDown, ChevronRight, GripVertical, RotateCw } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { newPlace } from "../canvas/board";
import { NODE_DRAG } from "../canvas/Canvas";
import { catalogueOf, type NodeSchema } from "../document";
import { reloadNodes } from "../live/reload";
import { PluginProblems } from "../panels/PluginProblems";
import { classes, EmptyState, IconButton, SearchInput } from "../theme";
import { addNode } from "./actions";
import { useCatalogue, useCatalogueState } from "./catalogue";
import { findNodes } from "./fuzzy";
import { useTab } from "./store";

export function NodesPanel() {
  const document = useTab((tab) => tab.document);
  const catalogue = useCatalogue();
  const state = useCatalogueState((each) => each.state);
  const [query, setQuery] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [about, setAbout] = useState<NodeSchema | null>(null);
  const tree = useRef<HTMLDivElement>(null);
  const all = useMemo(() => catalogueOf(document, catalogue), [document, catalogue]);
  const folders = useMemo(() => byCategory(findNodes(query, all.values()), query !== ""), [all, query]);

  if (all.size === 0) {
    return (
      <EmptyState title={state === "failed" ? "The nodes could not be fetched" : "Fetching the nodes…"}>
        {state === "failed" ? "Is the server running? The list comes as soon as it answers." : "This takes a moment."}
      </EmptyState>
    );
  }
  const toggle = (category: string) => {
    const next = new Set(closed);
    if (!next.delete(category)) next.add(category);
    setClosed(next);
  };
  return (
    <div className="nodes-panel">
      <div className="nodes-top">
        <SearchInput
          label="Search nodes"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "ArrowDown") return;
            event.preventDefault();
            tree.current?.querySelector<HTMLElement>("[role=treeitem]")?.focus();
          }}
        />
        <IconButton label="Reload nodes" onClick={() => void reloadNodes()}>
          <RotateCw />
        </IconButton>
      </div>
      <div ref={tree} role="tree" aria-label="Nodes" className="nodes-tree" onKeyDown={(event) => walk(event, toggle)}>
        {folders.map(([category, nodes]) => {
          const open = query !== "" || !closed.has(category);
          const Chevron = open ? ChevronDown : ChevronRight;
          return (
            <div key={category} role="none">
              <button
                type="button"
                role="treeitem"
                aria-expanded={open}
                data-category={category}
                className="nodes-folder"
                onClick={() => toggle(category)}
              >
                <Chevron aria-hidden="true" />
                <span>{category}</span>
                <span className="nodes-count">{nodes.length}</span>
              </button>
              {open && (
                // biome-ignore lint/a11y/useSemanticElements: a group of a tree, not of a form
                <div role="group">
                  {nodes.map((node) => (
                    <Item
                      key={node.name}
                      node={node}
                      about={about?.name === node.name}
                      onAbout={() => setAbout(node)}
                    />
                  ))}
                </div>
              )}
            </div>
          );
        })}
        {folders.length === 0 && <p className="nodes-none">No node is called anything like that.</p>}
      </div>
      <PluginProblems />
      <div className="nodes-about" aria-live="polite">
        {about ? (
          <>
            <strong>{about.title}</strong>
            <p>{about.help.split("\n\n")[0] || "No description."}</p>
          </>
        ) : (
          <p>Drag a node onto the canvas, or choose one and press Enter.</p>
        )}
      </div>
    </div>
  );
}

function Item({ node, about, onAbout }: { node: NodeSchema; about: boolean; onAbout(): void }) {
  const add = () => addNode(node.name, newPlace().at);
  return (
    <div
      role="treeitem"
      tabIndex={-1}
      aria-label={node.title}
      className={classes("nodes-item", about && "nodes-item-about")}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(NODE_DRAG, node.name);
        event.dataTransfer.effectAllowed = "copy";
      }}
      onClick={onAbout}
      onFocus={onAbout}
      onDoubleClick={add}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          add();
        }
      }}
    >
      <GripVertical aria-hidden="true" />
      <span>{node.title}</span>
      {node.experimental && <span className="nodes-mark">new</span>}
    </div>
  );
}

function byCategory(nodes: readonly NodeSchema[], ranked: boolean): [string, NodeSchema[]][] {
  const folders = new Map<string, NodeSchema[]>();
  for (const node of nodes) folders.set(node.category, [...(folders.get(node.category) ?? []), node]);
  const list = [...folders];
  // What few people need comes last.
  const rank = (category: string) => (category.startsWith("advanced") ? 1 : 0);
  return ranked ? list : list.sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** Arrows walk the tree; left and right close and open a folder. */
function walk(event: KeyboardEvent<HTMLDivElement>, toggle: (category: string) => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=treeitem]")];
  const now = items.indexOf(document.activeElement as HTMLElement);
  const item = items[now];
  const category = item?.dataset.category;
  const expanded = item?.getAttribute("aria-expanded") === "true";
  const steps: Record<string, number> = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 };
  const next = steps[event.key];
  if (next !== undefined) {
    event.preventDefault();
    items[Math.max(0, Math.min(items.length - 1, next))]?.focus();
  } else if (category !== undefined && event.key === (expanded ? "ArrowLeft" : "ArrowRight")) {
    event.preventDefault();
    toggle(category);
  }
}
