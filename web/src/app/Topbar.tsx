/** The bar at the top: the menu, the open workflows, graph or form, and the run bar. */

import { Menu as MenuIcon, Plus, X } from "lucide-react";
import { type KeyboardEvent, useRef } from "react";
import { useStore } from "zustand";
import { openDialog } from "../live/desk";
import { RunBar } from "../panels";
import { classes, IconButton, MenuButton, type MenuEntry, Segmented } from "../theme";
import { askToClose } from "./closing";
import { execute, shortcutOf, useCommands } from "./commands";
import { isDirty, type TabStore, tabsStore, tabTitle, useTab, useTabs } from "./store";

export function Topbar() {
  const mood = useTab((tab) => tab.mood);
  const setMood = useTab((tab) => tab.setMood);
  return (
    <header className="topbar">
      <MainMenu />
      <TabStrip />
      <Segmented
        label="View"
        value={mood}
        choices={[
          { value: "graph", label: "Graph" },
          { value: "form", label: "Form" },
        ]}
        onChange={setMood}
      />
      <RunBar />
    </header>
  );
}

function MainMenu() {
  useCommands(); // shortcuts and titles come as commands are registered
  const entry = (id: string, label: string): MenuEntry => {
    const shortcut = shortcutOf(id);
    return { label, onSelect: () => execute(id), ...(shortcut && { shortcut }) };
  };
  const saved = useTab((tab) => tab.saved);
  const entries: MenuEntry[] = [
    entry("file.new", "New workflow"),
    entry("file.open", "Open a file…"),
    entry("file.save", "Save"),
    entry("file.saveAs", "Save as…"),
    {
      label: "Versions…",
      disabled: saved === null,
      onSelect: () => saved && openDialog({ dialog: "versions", name: saved.name }),
    },
    "separator",
    entry("file.download", "Download as JSON"),
    entry("file.export", "Export in ComfyUI's API format"),
    "separator",
    entry("edit.undo", "Undo"),
    entry("edit.redo", "Redo"),
    entry("arrange.all", "Lay out"),
    entry("view.fit", "Show all"),
    "separator",
    entry("view.shortcuts", "Keyboard and mouse"),
  ];
  return <MenuButton label="Menu" iconOnly kind="quiet" icon={<MenuIcon />} entries={entries} />;
}

function TabStrip() {
  const tabs = useTabs((state) => state.tabs);
  const active = useTabs((state) => state.active);
  const strip = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !(event.target instanceof Element) || event.target.getAttribute("role") !== "tab") return;
    event.preventDefault();
    const index = (tabs.findIndex((tab) => tab.getState().id === active) + step + tabs.length) % tabs.length;
    const next = tabs[index];
    if (next) tabsStore.getState().activate(next.getState().id);
    strip.current?.querySelectorAll<HTMLElement>('[role="tab"]')[index]?.focus();
  };
  return (
    <div className="tab-strip">
      <div ref={strip} role="tablist" aria-label="Open workflows" className="tab-list" onKeyDown={onKeyDown}>
        {tabs.map((tab, index) => (
          <TabButton key={tab.getState().id} tab={tab} index={index} active={tab.getState().id === active} />
        ))}
      </div>
      <IconButton label="New workflow" shortcut={shortcutOf("file.new") ?? ""} onClick={() => execute("file.new")}>
        <Plus />
      </IconButton>
    </div>
  );
}

/** Type of what is dragged when a tab is. */
const TAB_DRAG = "application/x-darkroom-tab";

function TabButton({ tab, index, active }: { tab: TabStore; index: number; active: boolean }) {
  const id = useStore(tab, (state) => state.id);
  const title = useStore(tab, (state) => tabTitle(state));
  const dirty = useStore(tab, (state) => isDirty(state));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only the mouse drags tabs; the tab inside has the keys
    <div
      className={classes("tab-item", active && "tab-active")}
      role="presentation"
      draggable
      onDragStart={(event) => event.dataTransfer.setData(TAB_DRAG, id)}
      onDragOver={(event) => event.dataTransfer.types.includes(TAB_DRAG) && event.preventDefault()}
      onDrop={(event) => {
        const moved = event.dataTransfer.getData(TAB_DRAG);
        if (moved !== "") tabsStore.getState().move(moved, index);
      }}
      onAuxClick={(event) => event.button === 1 && askToClose(tab)}
    >
      <button
        type="button"
        role="tab"
        aria-selected={active}
        tabIndex={active ? 0 : -1}
        className="tab-name"
        title={title}
        onClick={() => tabsStore.getState().activate(id)}
        onKeyDown={(event) => event.key === "Delete" && askToClose(tab)}
      >
        <span>{title}</span>
        {dirty && <span className="tab-dirty" role="img" aria-label="edited" />}
      </button>
      <button
        type="button"
        className="tab-close"
        // For the mouse: a list of tabs holds nothing but tabs, and Delete on a tab closes it.
        aria-hidden="true"
        title={`Close ${title}`}
        tabIndex={-1}
        onClick={() => askToClose(tab)}
      >
        <X />
      </button>
    </div>
  );
}
