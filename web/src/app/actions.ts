/** What users do to the graph on show: each one an edit of the active tab's document. */

import { writeJson } from "../api/json";
import { boardStore, newPlace } from "../canvas/board";
import { groupRect, NOTE_SIZE, nodeRect, noteRect, sceneRect } from "../canvas/scene";
import {
  align,
  type Change,
  catalogueOf,
  copy,
  distribute,
  type Edge,
  firstFit,
  freeName,
  growthOf,
  type InputEnd,
  idStem,
  inputSchema,
  layOut,
  linksOf,
  type Mode,
  type NodeSchema,
  type OutputEnd,
  type Placed,
  type Point,
  paste,
  readClip,
  readLink,
  type Scope,
  scopeOf,
  snap,
  subgraphOf,
  WIDTH,
} from "../document";
import { catalogueStore } from "./catalogue";
import { notify } from "./notices";
import { activeTab, scopeId, type TabState } from "./store";
import { type LooseEnd, uiStore } from "./ui";

interface Here {
  tab: TabState;
  scope: Scope;
  /** For the `in` of changes. */
  inside: { in?: string };
  id: string | undefined;
}

/** The scope on show. */
export function here(): Here {
  const tab = activeTab().getState();
  const id = scopeId(tab);
  return { tab, id, scope: scopeOf(tab.document, id) ?? tab.document, inside: id === undefined ? {} : { in: id } };
}

export function schemasHere() {
  return catalogueOf(activeTab().getState().document, catalogueStore.getState().nodes);
}

/** Add a node; one that comes of a dropped wire is connected to it. */
export function addNode(type: string, at: Point, loose?: LooseEnd): string | undefined {
  const { tab, scope, inside } = here();
  const schema = schemasHere().get(type);
  const id = freeName(idStem(schema ? idName(schema) : type), scope.nodes);
  const version = schema && subgraphOf(type) === undefined ? { version: schema.version } : {};
  // A wire's end meets the new node's ports rather than its corner.
  const shift: Point = loose ? (loose.kind === "output" ? [0, -48] : [-WIDTH, -48]) : [-WIDTH / 2, -16];
  const position: Point = [snap(at[0] + shift[0]), snap(at[1] + shift[1])];
  const changes: Change[] = [
    { type: "addNodes", ...inside, nodes: { [id]: { type, ...version, inputs: {} } }, boxes: { [id]: { position } } },
  ];
  const wire = loose && schema && wireTo(id, schema, loose);
  if (wire) changes.push(wire);
  tab.dispatch(changes);
  activeTab()
    .getState()
    .select({ nodes: new Set([id]) });
  return id;
}

function idName(schema: NodeSchema): string {
  return subgraphOf(schema.name) === undefined ? schema.name : schema.title;
}

/** The change that connects a new node to the loose end that it was added for. */
function wireTo(id: string, schema: NodeSchema, loose: LooseEnd): Change | undefined {
  const { scope, inside } = here();
  if (loose.kind === "output") {
    const output = { name: String(loose.end.output), type: loose.type, is_list: false, help: "" };
    const fit = firstFit({ ...schema, outputs: [output] }, schema, () => true);
    return (
      fit &&
      connectChange({ nodes: { [id]: { type: schema.name } } }, loose.end, { node: id, input: fit.input.name }, schema)
    );
  }
  const wanted = inputSchema(schemasHere().get(scope.nodes[loose.end.node]?.type ?? ""), loose.end.input);
  const target = schemasHere().get(scope.nodes[loose.end.node]?.type ?? "");
  if (!wanted || !target) return undefined;
  const fit = firstFit(schema, { ...target, inputs: [wanted] }, () => true);
  if (!fit) return undefined;
  const change = connectChange(scope, { node: id, output: fit.output }, loose.end, target);
  return change && { ...change, ...inside };
}

/** The change that leads a wire from an output into an input, as that input takes it (one link, or one more). */
export function connectChange(
  scope: Pick<Scope, "nodes">,
  from: OutputEnd,
  to: InputEnd,
  schema: NodeSchema | undefined,
): Change | undefined {
  const { inside } = here();
  const node = scope.nodes[to.node];
  const wanted = inputSchema(schema, to.input);
  if (!node || !wanted) return undefined;
  const { to: place, grows } = growthOf(node, wanted, to.index);
  return { type: "connect", ...inside, from, to: { node: to.node, ...place }, grows };
}

export function removeSelection(): void {
  const { tab, inside } = here();
  const { nodes, groups, notes, wires } = tab.selection;
  const changes: Change[] = [];
  for (const key of wires) {
    const wire = boardStore.getState().scene.wires.get(key);
    if (wire && !nodes.has(wire.to.node)) changes.push({ type: "disconnect", ...inside, to: wire.to });
  }
  // Of a growing input the last place is cut first, so that the others keep theirs.
  changes.sort(
    (a, b) => (b.type === "disconnect" ? (b.to.index ?? 0) : 0) - (a.type === "disconnect" ? (a.to.index ?? 0) : 0),
  );
  if (nodes.size > 0) changes.push({ type: "removeNodes", ...inside, nodes: [...nodes] });
  if (groups.size + notes.size > 0) {
    changes.push({ type: "removeMarks", ...inside, groups: [...groups], notes: [...notes] });
  }
  if (changes.length === 0) return;
  tab.dispatch(changes);
  activeTab().getState().select({});
}

export function selectAll(): void {
  const { tab, scope } = here();
  tab.select({
    nodes: new Set(Object.keys(scope.nodes)),
    groups: new Set(Object.keys(scope.layout?.groups ?? []).map(Number)),
    notes: new Set(Object.keys(scope.layout?.notes ?? []).map(Number)),
  });
}

/** The selection as the clipboard's text; null when nothing is selected. */
export function copyText(): string | null {
  const { tab, id } = here();
  const { nodes, groups, notes } = tab.selection;
  if (nodes.size + groups.size + notes.size === 0) return null;
  return writeJson(copy(tab.document, id, { nodes, groups, notes }));
}

/** Paste a clip; false when the text is none. */
export function pasteText(text: string, withOutside = false, at?: Point): boolean {
  const clip = readClip(text);
  if (!clip) return false;
  const { tab, id, scope } = here();
  const place = at ?? newPlace().at;
  const target: Point = [snap(place[0]), snap(place[1])];
  const { changes, nodes } = paste(tab.document, id, clip, target, withOutside);
  const groups = scope.layout?.groups?.length ?? 0;
  const notes = scope.layout?.notes?.length ?? 0;
  tab.dispatch(changes);
  activeTab()
    .getState()
    .select({
      nodes: new Set(nodes),
      groups: new Set(clip.groups.map((_, index) => groups + index)),
      notes: new Set(clip.notes.map((_, index) => notes + index)),
    });
  return true;
}

/** A copy of the selection beside it, keeping the wires that come in from outside. */
export function duplicateSelection(by: Point = [32, 32]): void {
  const text = copyText();
  const { scene, heights } = boardStore.getState();
  const { selection } = here().tab;
  const rects = [
    sceneRect(scene, heights, selection.nodes),
    ...[...selection.groups].flatMap((index) => scene.groups[index] ?? []).map(groupRect),
    ...[...selection.notes].flatMap((index) => scene.notes[index] ?? []).map(noteRect),
  ].filter((rect) => rect !== null);
  if (!text || rects.length === 0) return;
  const corner: Point = [Math.min(...rects.map((rect) => rect.x)), Math.min(...rects.map((rect) => rect.y))];
  pasteText(text, true, [corner[0] + by[0], corner[1] + by[1]]);
}

/** Switch the selected nodes to a mode, or all of them back when they are in it already. */
export function toggleMode(mode: Exclude<Mode, "run">): void {
  const { tab, scope, inside } = here();
  const nodes = [...tab.selection.nodes];
  if (nodes.length === 0) return;
  const all = nodes.every((id) => scope.nodes[id]?.mode === mode);
  tab.dispatch({ type: "setMode", ...inside, nodes, mode: all ? "run" : mode });
}

export function toggleCollapsed(): void {
  const { tab, scope, inside } = here();
  const nodes = [...tab.selection.nodes];
  if (nodes.length === 0) return;
  const all = nodes.every((id) => scope.layout?.nodes?.[id]?.collapsed);
  tab.dispatch({ type: "editBoxes", ...inside, nodes, patch: { collapsed: all ? undefined : true } });
}

export function setColour(colour: string | null): void {
  const { tab, inside } = here();
  const { nodes, groups, notes } = tab.selection;
  const patch = { colour: colour ?? undefined };
  const changes: Change[] = [];
  if (nodes.size > 0) changes.push({ type: "editBoxes", ...inside, nodes: [...nodes], patch });
  for (const index of groups) changes.push({ type: "editGroup", ...inside, index, patch });
  for (const index of notes) changes.push({ type: "editNote", ...inside, index, patch });
  tab.dispatch(changes);
}

/** Put a frame around the selected nodes, or an empty one where the pointer is. */
export function groupSelection(): void {
  const { tab, scope, inside } = here();
  const { scene, heights } = boardStore.getState();
  const rect = tab.selection.nodes.size > 0 ? sceneRect(scene, heights, tab.selection.nodes) : null;
  const at = newPlace().at;
  const group = rect
    ? {
        title: "Group",
        position: [snap(rect.x - 16), snap(rect.y - 48)] as Point,
        size: [snap(rect.width + 32), snap(rect.height + 64)] as Point,
      }
    : { title: "Group", position: [snap(at[0]), snap(at[1])] as Point, size: [400, 240] as Point };
  const index = scope.layout?.groups?.length ?? 0;
  tab.dispatch({ type: "addGroup", ...inside, group });
  activeTab()
    .getState()
    .select({ groups: new Set([index]) });
  uiStore.setState({ editing: `group:${index}` });
}

export function addNote(at: Point = newPlace().at): void {
  const { tab, scope, inside } = here();
  const index = scope.layout?.notes?.length ?? 0;
  const note = { text: "", position: [snap(at[0]), snap(at[1])] as Point, size: NOTE_SIZE };
  tab.dispatch({ type: "addNote", ...inside, note });
  activeTab()
    .getState()
    .select({ notes: new Set([index]) });
  uiStore.setState({ editing: `note:${index}` });
}

function placedSelection(): Placed[] {
  const { tab } = here();
  const { scene, heights } = boardStore.getState();
  return [...tab.selection.nodes].flatMap((id) => {
    const item = scene.nodes.get(id);
    if (!item) return [];
    const rect = nodeRect(item, heights.get(id));
    return [{ id, position: [rect.x, rect.y] as Point, size: [rect.width, rect.height] as Point }];
  });
}

export function alignSelection(edge: Edge): void {
  const { tab, inside } = here();
  tab.dispatch({ type: "move", ...inside, nodes: align(placedSelection(), edge) });
}

export function distributeSelection(along: "horizontal" | "vertical"): void {
  const { tab, inside } = here();
  tab.dispatch({ type: "move", ...inside, nodes: distribute(placedSelection(), along) });
}

/** Lay out the selected nodes, or all of them. */
export function arrange(): void {
  const { tab, id } = here();
  const chosen = tab.selection.nodes.size > 1 ? tab.selection.nodes : undefined;
  tab.dispatch(layOut(tab.document, catalogueStore.getState().nodes, id, chosen));
}

export function makeSubgraph(): void {
  const { tab, scope, inside } = here();
  const nodes = [...tab.selection.nodes];
  if (nodes.length === 0) return;
  const id = freeName("subgraph", tab.document.subgraphs ?? {});
  const left = new Set(Object.keys(scope.nodes).filter((each) => !tab.selection.nodes.has(each)));
  const instance = freeName(id, left);
  const name = id === "subgraph" ? "Subgraph" : `Subgraph ${id.replace(/^subgraph_/, "")}`;
  tab.dispatch({ type: "makeSubgraph", ...inside, nodes, id, name, instance });
  activeTab()
    .getState()
    .select({ nodes: new Set([instance]) });
  uiStore.setState({ editing: `node:${instance}` });
}

export function unpackSelection(): void {
  const { tab, scope, inside } = here();
  const instances = [...tab.selection.nodes].filter((id) => subgraphOf(scope.nodes[id]?.type ?? "") !== undefined);
  if (instances.length === 0) return;
  const before = new Set(Object.keys(scope.nodes));
  tab.dispatch(instances.map((node) => ({ type: "unpackSubgraph", ...inside, node })));
  const fresh = Object.keys(here().scope.nodes).filter((id) => !before.has(id));
  activeTab()
    .getState()
    .select({ nodes: new Set(fresh) });
}

/** Show an inner input on the subgraph's instances, or take it off them. */
export function togglePromotedInput(node: string, input: string): void {
  const { tab, id } = here();
  const subgraph = id === undefined ? undefined : tab.document.subgraphs?.[id];
  if (id === undefined || !subgraph) return;
  const end = `${node}.${input}`;
  const shown = subgraph.inputs.some((each) => each.to.includes(end));
  const inputs = shown
    ? subgraph.inputs
        .map((each) => ({ ...each, to: each.to.filter((to) => to !== end) }))
        .filter((each) => each.to.length > 0)
    : [...subgraph.inputs, { name: freeName(input, new Set(subgraph.inputs.map((each) => each.name))), to: [end] }];
  tab.dispatch({ type: "editSubgraph", id, patch: { inputs } });
}

export function togglePromotedOutput(node: string, output: string): void {
  const { tab, id } = here();
  const subgraph = id === undefined ? undefined : tab.document.subgraphs?.[id];
  if (id === undefined || !subgraph) return;
  const end = `${node}.${output}`;
  const names = new Set(subgraph.outputs.map((each) => each.name));
  const outputs = subgraph.outputs.some((each) => each.from === end)
    ? subgraph.outputs.filter((each) => each.from !== end)
    : [...subgraph.outputs, { name: freeName(output, names), from: end }];
  tab.dispatch({ type: "editSubgraph", id, patch: { outputs } });
}

/** Put an input of a top-level node into the form view, or take it out. */
export function toggleInForm(node: string, input: string): void {
  const { tab } = here();
  const form = tab.document.form ?? { inputs: [], outputs: [] };
  const entry = `${node}.${input}`;
  const inputs = form.inputs.includes(entry) ? form.inputs.filter((each) => each !== entry) : [...form.inputs, entry];
  tab.dispatch({ type: "setForm", form: { ...form, inputs } });
}

export function toggleOutputInForm(node: string): void {
  const { tab } = here();
  const form = tab.document.form ?? { inputs: [], outputs: [] };
  const outputs = form.outputs.includes(node) ? form.outputs.filter((each) => each !== node) : [...form.outputs, node];
  tab.dispatch({ type: "setForm", form: { ...form, outputs } });
}

/** Hold on to a node's last result, or let go of it. */
export function toggleFrozen(node: string, key: string | undefined): void {
  const { tab, scope, inside } = here();
  if (scope.nodes[node]?.frozen) tab.dispatch({ type: "freeze", ...inside, node, key: null });
  else if (key) tab.dispatch({ type: "freeze", ...inside, node, key });
  else notify({ kind: "info", text: "Run the workflow first: then the result of this node can be frozen." });
}

/** Take a node out and connect what fed it to what it fed, where the types fit. */
export function removeAndHeal(node: string): void {
  const { tab, scope, inside } = here();
  const schemas = schemasHere();
  const item = scope.nodes[node];
  const schema = item && schemas.get(item.type);
  if (!item || !schema) return;
  const changes: Change[] = [];
  for (const wire of boardStore.getState().scene.wires.values()) {
    if (wire.from.node !== node) continue;
    const fed = Object.values(item.inputs ?? {})
      .flatMap(linksOf)
      .map(readLink)
      .find((from) => typeOf(from) === wire.type);
    const change = fed && connectChange(scope, fed, wire.to, schemas.get(scope.nodes[wire.to.node]?.type ?? ""));
    if (change) changes.push(change);
  }
  tab.dispatch([...changes, { type: "removeNodes", ...inside, nodes: [node] }]);

  function typeOf(from: OutputEnd): string | undefined {
    const source = schemas.get(scope.nodes[from.node]?.type ?? "");
    return typeof from.output === "number"
      ? source?.outputs[from.output]?.type
      : source?.outputs.find((output) => output.name === from.output)?.type;
  }
}

/** Whether an input of the node is shown in the form. */
export function inForm(tab: TabState, node: string, input: string): boolean {
  return tab.document.form?.inputs.includes(`${node}.${input}`) ?? false;
}
