/** The editor's own commands, and the keys that reach them. ComfyUI's keys where fingers know them. */

import { fitView, newPlace, zoomBy } from "../canvas/board";
import { EMPTY_WORKFLOW } from "../document";
import { looksLikeWorkflow, openFiles, openText } from "../live/opening";
import {
  addNote,
  alignSelection,
  arrange,
  copyText,
  duplicateSelection,
  groupSelection,
  makeSubgraph,
  pasteText,
  removeSelection,
  selectAll,
  toggleCollapsed,
  toggleMode,
  unpackSelection,
} from "./actions";
import { askToClose } from "./closing";
import { type Command, commandStore, matches } from "./commands";
import { overCanvas } from "./NodeSearch";
import { notify } from "./notices";
import { activeTab, tabsStore } from "./store";
import { uiStore } from "./ui";

const tab = () => activeTab().getState();
const someSelected = () => {
  const { nodes, groups, notes, wires } = tab().selection;
  return nodes.size + groups.size + notes.size + wires.size > 0;
};
const nodesSelected = () => tab().selection.nodes.size > 0;

export const EDITING: readonly Command[] = [
  { id: "edit.undo", title: "Undo", keys: ["Mod+Z"], run: () => tab().undo() },
  { id: "edit.redo", title: "Redo", keys: ["Mod+Y", "Mod+Shift+Z"], run: () => tab().redo() },
  { id: "edit.copy", title: "Copy", keys: ["Mod+C"], enabled: someSelected, run: () => void toClipboard() },
  {
    id: "edit.cut",
    title: "Cut",
    keys: ["Mod+X"],
    enabled: someSelected,
    run: () => void toClipboard().then(removeSelection),
  },
  { id: "edit.paste", title: "Paste", keys: ["Mod+V"], run: () => fromClipboard(false) },
  {
    id: "edit.pasteWired",
    title: "Paste with the wires from outside",
    keys: ["Mod+Shift+V"],
    run: () => fromClipboard(true),
  },
  { id: "edit.duplicate", title: "Duplicate", keys: ["Mod+D"], enabled: someSelected, run: () => duplicateSelection() },
  { id: "edit.delete", title: "Delete", keys: ["Delete", "Backspace"], enabled: someSelected, run: removeSelection },
  { id: "edit.selectAll", title: "Select all", keys: ["Mod+A"], run: selectAll },
  { id: "edit.rename", title: "Rename", keys: ["F2"], enabled: someSelected, run: rename },
  { id: "edit.collapse", title: "Collapse or expand", keys: ["Alt+C"], enabled: nodesSelected, run: toggleCollapsed },
  { id: "edit.bypass", title: "Bypass", keys: ["Mod+B"], enabled: nodesSelected, run: () => toggleMode("bypass") },
  { id: "edit.mute", title: "Mute", keys: ["Mod+M"], enabled: nodesSelected, run: () => toggleMode("mute") },
  { id: "edit.group", title: "Group", keys: ["Mod+G"], run: groupSelection },
  { id: "edit.subgraph", title: "Make a subgraph", keys: ["Mod+Shift+E"], enabled: nodesSelected, run: makeSubgraph },
  {
    id: "edit.unpack",
    title: "Unpack the subgraph",
    keys: ["Mod+Shift+U"],
    enabled: nodesSelected,
    run: unpackSelection,
  },
  {
    id: "edit.connect",
    title: "Connect the selected node",
    keys: ["W"],
    enabled: () => tab().selection.nodes.size === 1,
    run: () => uiStore.setState({ dialog: { connect: [...tab().selection.nodes][0] ?? "" } }),
  },
  { id: "add.node", title: "Add a node", keys: ["Tab", "N"], run: () => uiStore.setState({ search: newPlace() }) },
  { id: "add.note", title: "Add a note", keys: ["Shift+N"], run: () => addNote() },
  { id: "arrange.all", title: "Lay out", keys: ["Shift+A"], run: arrange },
  {
    id: "arrange.left",
    title: "Align left edges",
    keys: ["Shift+L"],
    enabled: nodesSelected,
    run: () => alignSelection("left"),
  },
  {
    id: "arrange.right",
    title: "Align right edges",
    keys: ["Shift+R"],
    enabled: nodesSelected,
    run: () => alignSelection("right"),
  },
  {
    id: "arrange.top",
    title: "Align top edges",
    keys: ["Shift+T"],
    enabled: nodesSelected,
    run: () => alignSelection("top"),
  },
  {
    id: "arrange.bottom",
    title: "Align bottom edges",
    keys: ["Shift+B"],
    enabled: nodesSelected,
    run: () => alignSelection("bottom"),
  },
  {
    id: "view.fit",
    title: "Show all, or what is selected",
    keys: ["."],
    run: () => fitView(nodesSelected() ? tab().selection.nodes : undefined),
  },
  { id: "view.zoomIn", title: "Zoom in", keys: ["Mod+=", "+"], run: () => zoomBy(1.25) },
  { id: "view.zoomOut", title: "Zoom out", keys: ["Mod+-", "-"], run: () => zoomBy(0.8) },
  {
    id: "view.form",
    title: "Form or graph",
    keys: ["Mod+Shift+F"],
    run: () => tab().setMood(tab().mood === "graph" ? "form" : "graph"),
  },
  {
    id: "view.shortcuts",
    title: "Keyboard shortcuts",
    keys: ["?"],
    run: () => uiStore.setState({ dialog: "shortcuts" }),
  },
  { id: "view.leave", title: "Leave the subgraph", keys: ["Escape"], run: letGo },
  {
    id: "file.new",
    title: "New workflow",
    keys: ["Alt+N"],
    run: () => void tabsStore.getState().open({ ...EMPTY_WORKFLOW }),
  },
  { id: "file.close", title: "Close the tab", keys: ["Alt+W"], run: () => askToClose() },
  { id: "file.nextTab", title: "Next tab", keys: ["Alt+PageDown"], run: () => stepTab(1) },
  { id: "file.previousTab", title: "Previous tab", keys: ["Alt+PageUp"], run: () => stepTab(-1) },
];

function rename(): void {
  const { nodes, groups, notes } = tab().selection;
  const [node] = nodes;
  const [group] = groups;
  const [note] = notes;
  if (node !== undefined) uiStore.setState({ editing: `node:${node}` });
  else if (group !== undefined) uiStore.setState({ editing: `group:${group}` });
  else if (note !== undefined) uiStore.setState({ editing: `note:${note}` });
}

/** Let go of the selection; then, with nothing selected, leave the subgraph. */
function letGo(): void {
  const { path } = tab();
  if (someSelected()) tab().select({});
  else if (path.length > 0) tab().leave(path.length - 1);
}

function stepTab(step: number): void {
  const { tabs, active, activate } = tabsStore.getState();
  const index = tabs.findIndex((each) => each.getState().id === active);
  const next = tabs[(index + step + tabs.length) % tabs.length];
  if (next) activate(next.getState().id);
}

async function toClipboard(): Promise<void> {
  const text = copyText();
  if (text === null) return;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    notify({ kind: "warning", text: "The browser does not let menus write to the clipboard here: use Ctrl+C." });
  }
}

async function fromClipboard(withOutside: boolean): Promise<void> {
  try {
    pasteText(await navigator.clipboard.readText(), withOutside);
  } catch {
    notify({ kind: "warning", text: "The browser does not let menus read the clipboard here: use Ctrl+V." });
  }
}

/** Keys that the browser turns into clipboard events, which need no permission; the events are listened to instead. */
const CLIPBOARD = new Set(["edit.copy", "edit.cut", "edit.paste", "edit.pasteWired"]);

const UNDO = new Set(["edit.undo", "edit.redo"]);

/** Listen to keys, the clipboard and dropped files, until the returned function is called. */
export function startShortcuts(): () => void {
  commandStore.getState().register(EDITING);
  let shift = false;
  const onKeyDown = (event: KeyboardEvent) => {
    shift = event.shiftKey;
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const typing = isTyping(event.target);
    const command = Object.values(commandStore.getState().commands).find(
      (each) => each.keys?.some((keys) => matches(keys, event)) && (!typing || each.whileTyping),
    );
    if (!command || CLIPBOARD.has(command.id)) return;
    // Tab is for walking through the page, unless the pointer says that it is about the canvas.
    if (event.key === "Tab" && !(overCanvas() && onCanvas(event.target))) return;
    // A key pressed in a panel is about the panel: Delete in the queue must not delete nodes.
    if (/^(edit|arrange)\./.test(command.id) && !onCanvas(event.target) && !UNDO.has(command.id)) return;
    if (!(command.enabled?.() ?? true)) return;
    if (event.key === "Escape" && typing) return;
    event.preventDefault();
    void command.run();
  };
  const onCopy = (event: ClipboardEvent) => {
    if (isTyping(event.target) || hasTextSelected()) return;
    const text = copyText();
    if (text === null) return;
    event.preventDefault();
    event.clipboardData?.setData("text/plain", text);
    if (event.type === "cut") removeSelection();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const files = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (pasteText(text, shift)) event.preventDefault();
    else if (files.length > 0 && tab().selection.nodes.size === 0) void openFiles(files);
    else if (looksLikeWorkflow(text)) void openText(text);
  };
  const onDragOver = (event: DragEvent) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  };
  const onDrop = (event: DragEvent) => {
    if (event.defaultPrevented || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    void openFiles(event.dataTransfer.files);
  };
  const listeners = [
    ["keydown", onKeyDown],
    ["copy", onCopy],
    ["cut", onCopy],
    ["paste", onPaste],
    ["dragover", onDragOver],
    ["drop", onDrop],
  ] as [string, EventListener][];
  for (const [type, listener] of listeners) window.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of listeners) window.removeEventListener(type, listener);
  };
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["button", "checkbox", "radio", "range"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

function onCanvas(target: EventTarget | null): boolean {
  return target === document.body || (target instanceof Element && target.closest(".canvas") !== null);
}

function hasTextSelected(): boolean {
  return (getSelection()?.toString() ?? "") !== "";
}
