/** What a right click offers. */

import {
  addNote,
  alignSelection,
  arrange,
  distributeSelection,
  groupSelection,
  here,
  inForm,
  makeSubgraph,
  removeAndHeal,
  setColour,
  toggleFrozen,
  toggleInForm,
  toggleOutputInForm,
  togglePromotedInput,
  togglePromotedOutput,
  unpackSelection,
} from "../app/actions";
import { execute, shortcutOf } from "../app/commands";
import { runStore } from "../app/run";
import { openMenu, uiStore } from "../app/ui";
import { type Point, subgraphOf } from "../document";
import { openPanel } from "../live/desk";
import type { MenuEntry } from "../theme";
import type { SceneNode } from "./scene";

/** Colours for nodes, groups and notes, in the safelight's neighbourhood; they are mixed into the theme's own. */
export const COLOURS: readonly { name: string; value: string | null }[] = [
  { name: "None", value: null },
  { name: "Amber", value: "#d9822b" },
  { name: "Red", value: "#c9433f" },
  { name: "Pink", value: "#c2528b" },
  { name: "Violet", value: "#8457c9" },
  { name: "Blue", value: "#3f7fc9" },
  { name: "Teal", value: "#2b9c93" },
  { name: "Green", value: "#4f9a45" },
  { name: "Grey", value: "#8a8178" },
];

function command(id: string, label: string, more: Partial<MenuEntry & object> = {}): MenuEntry {
  const shortcut = shortcutOf(id);
  return { label, onSelect: () => execute(id), ...(shortcut && { shortcut }), ...more };
}

export function nodeMenu(item: SceneNode, runId: string): MenuEntry[] {
  const { tab, scope } = here();
  const { id, node } = item;
  const selected = tab.selection.nodes.has(id) ? tab.selection.nodes : new Set([id]);
  if (!tab.selection.nodes.has(id)) tab.select({ nodes: selected });
  const several = selected.size > 1;
  const instances = [...selected].some((each) => subgraphOf(scope.nodes[each]?.type ?? "") !== undefined);
  const key = runStore.getState().jobs[runStore.getState().shown[tab.id] ?? ""]?.nodes[runId]?.key;
  const at = () => anchorOf(id);
  const entries: MenuEntry[] = [];
  if (!several) {
    entries.push(command("edit.rename", "Rename"));
    entries.push({ label: "Help", onSelect: () => openPanel("help") });
    entries.push({ label: "Connect…", onSelect: () => uiStore.setState({ dialog: { connect: id } }) });
  }
  entries.push(command("edit.collapse", item.box?.collapsed ? "Expand" : "Collapse"));
  entries.push({ label: "Colour…", onSelect: () => openMenu("Colour", at(), colourMenu()) });
  entries.push("separator");
  entries.push(command("edit.bypass", "Bypass", { checked: node.mode === "bypass" }));
  entries.push(command("edit.mute", "Mute", { checked: node.mode === "mute" }));
  if (!several) {
    entries.push({
      label: "Freeze result",
      checked: !!node.frozen,
      onSelect: () => toggleFrozen(id, key),
    });
    entries.push(...showing(item));
  }
  entries.push("separator");
  if (several) entries.push({ label: "Align…", onSelect: () => openMenu("Align", at(), alignMenu()) });
  entries.push(command("edit.group", "Group"));
  entries.push({ label: "Make a subgraph", onSelect: makeSubgraph });
  if (instances) entries.push({ label: "Unpack the subgraph", onSelect: unpackSelection });
  entries.push("separator");
  entries.push(command("edit.copy", "Copy"));
  entries.push(command("edit.duplicate", "Duplicate"));
  if (!several) entries.push({ label: "Delete and reconnect", onSelect: () => removeAndHeal(id) });
  entries.push(command("edit.delete", "Delete", { danger: true }));
  return entries;
}

/** Which inputs and outputs are seen elsewhere: in the form, or on the subgraph around. */
function showing(item: SceneNode): MenuEntry[] {
  const { tab, id: subgraph } = here();
  const { id } = item;
  const inputs = item.plan.inputs.filter((port) => port.index === undefined);
  if (subgraph !== undefined) {
    const definition = tab.document.subgraphs?.[subgraph];
    const entries: MenuEntry[] = [
      ...inputs.map((port) => ({
        label: port.id,
        checked: definition?.inputs.some((each) => each.to.includes(`${id}.${port.id}`)) ?? false,
        onSelect: () => togglePromotedInput(id, port.id),
      })),
      ...(item.plan.outputs.length > 0 ? (["separator"] as const) : []),
      ...item.plan.outputs.map((port) => ({
        label: `${port.id} (output)`,
        checked: definition?.outputs.some((each) => each.from === `${id}.${port.id}`) ?? false,
        onSelect: () => togglePromotedOutput(id, port.id),
      })),
    ];
    return [
      { label: "Show on the subgraph…", onSelect: () => openMenu("Show on the subgraph", anchorOf(id), entries) },
    ];
  }
  const entries: MenuEntry[] = [
    ...item.plan.widgets
      .filter((row) => !row.linked)
      .map((row) => ({
        label: row.schema.name,
        checked: inForm(tab, id, row.schema.name),
        onSelect: () => toggleInForm(id, row.schema.name),
      })),
    {
      label: "its pictures",
      checked: tab.document.form?.outputs.includes(id) ?? false,
      onSelect: () => toggleOutputInForm(id),
    },
  ];
  return [{ label: "Show in the form…", onSelect: () => openMenu("Show in the form", anchorOf(id), entries) }];
}

export function colourMenu(): MenuEntry[] {
  return COLOURS.map(({ name, value }) => ({ label: name, onSelect: () => setColour(value) }));
}

export function alignMenu(): MenuEntry[] {
  return [
    { label: "Left edges", onSelect: () => alignSelection("left") },
    { label: "Centres", onSelect: () => alignSelection("centre") },
    { label: "Right edges", onSelect: () => alignSelection("right") },
    "separator",
    { label: "Top edges", onSelect: () => alignSelection("top") },
    { label: "Middles", onSelect: () => alignSelection("middle") },
    { label: "Bottom edges", onSelect: () => alignSelection("bottom") },
    "separator",
    { label: "Spread horizontally", onSelect: () => distributeSelection("horizontal") },
    { label: "Spread vertically", onSelect: () => distributeSelection("vertical") },
    { label: "Lay out", onSelect: arrange },
  ];
}

export function canvasMenu(screen: Point, at: Point): MenuEntry[] {
  return [
    { label: "Add node…", shortcut: "Tab", onSelect: () => uiStore.setState({ search: { screen, at } }) },
    { label: "Add note", onSelect: () => addNote(at) },
    { label: "Add group", onSelect: groupSelection },
    "separator",
    command("edit.paste", "Paste"),
    command("edit.selectAll", "Select all"),
    "separator",
    command("view.fit", "Show all"),
    { label: "Lay out", onSelect: arrange },
    command("edit.undo", "Undo"),
    command("edit.redo", "Redo"),
  ];
}

/** Where a further menu of a node opens: at its upper right corner. */
function anchorOf(id: string): { x: number; y: number } {
  const element = document.querySelector(`[data-id="${CSS.escape(`node:${id}`)}"]`);
  const box = element?.getBoundingClientRect();
  return box ? { x: box.right, y: box.top } : { x: window.innerWidth / 2, y: window.innerHeight / 2 };
}
