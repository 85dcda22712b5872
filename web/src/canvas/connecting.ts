/** Drawing a wire by hand: from a port, over the canvas, to a port that takes it, to a node, or to nowhere. */

import { createStore, useStore } from "zustand";
import { connectChange, here, schemasHere } from "../app/actions";
import { activeTab } from "../app/store";
import { type LooseEnd, uiStore } from "../app/ui";
import { downstream, type InputEnd, inputSchema, outputSchema, type Point, typesFit, upstream } from "../document";
import { boardStore, toCanvas } from "./board";
import { contains, grown } from "./geometry";
import { inputPoint, nodeRect, outputPoint, positionOf, type Scene, type SceneNode } from "./scene";

/** A port, as `portKey` names it. */
export type PortKey = string;

export interface Drawing {
  /** The end that stays. */
  loose: LooseEnd;
  start: Point;
  /** Where the other end is now, on the canvas. */
  end: Point;
  /** The ports that take it. */
  fits: ReadonlySet<PortKey>;
  /** The one that it would be connected to if it were let go now. */
  target: PortKey | null;
  /** The input that the wire was taken off. */
  taken: InputEnd | null;
}

export const drawingStore = createStore<{ drawing: Drawing | null }>()(() => ({ drawing: null }));

export function portKey(side: "in" | "out", node: string, port: string): PortKey {
  return `${side}\n${node}\n${port}`;
}

export type PortLight = "fits" | "target" | "source" | "dim" | "plain";

/** How a port is lit while a wire is drawn. */
export function usePortLight(key: PortKey): PortLight {
  return useStore(drawingStore, ({ drawing }) => {
    if (!drawing) return "plain";
    if (drawing.target === key) return "target";
    if (drawing.fits.has(key)) return "fits";
    return looseKey(drawing.loose) === key ? "source" : "dim";
  });
}

function looseKey({ kind, end }: LooseEnd): PortKey {
  if (kind === "output") return portKey("out", end.node, String(end.output));
  return portKey("in", end.node, end.index === undefined ? end.input : `${end.input}.${end.index}`);
}

interface Candidate {
  key: PortKey;
  item: SceneNode;
  point: Point;
  /** Ports that must be linked are preferred to those with a widget. */
  plain: boolean;
  linked: boolean;
}

/** The ports of a scene that a loose end may be connected to: of a type that fits, and closing no loop. */
export function candidates(scene: Scene, loose: LooseEnd): Candidate[] {
  const out = loose.kind === "output";
  // What feeds a node must not be fed by it.
  const barred = out ? upstream(scene.scope, loose.end.node) : downstream(scene.scope, loose.end.node);
  return [...scene.nodes.values()].flatMap((item) => {
    if (barred.has(item.id)) return [];
    const [x, y] = positionOf(item);
    if (out) {
      return item.plan.inputs
        .filter((port) => typesFit(loose.type, port.schema.type))
        .map((port) => ({
          key: portKey("in", item.id, port.id),
          item,
          point: [x, y + port.y] as Point,
          plain: port.schema.widget === null,
          linked: port.linked,
        }));
    }
    return item.plan.outputs
      .filter((port) => typesFit(port.schema.type, loose.type))
      .map((port) => ({
        key: portKey("out", item.id, port.id),
        item,
        point: [x + item.plan.width, y + port.y] as Point,
        plain: true,
        linked: false,
      }));
  });
}

/** Distance in the window's pixels at which a port draws a wire's end to itself. */
const REACH = 28;
/** A press that moves less than this is a click. */
const STIR = 4;

/** The candidate that a wire let go at a point is meant for: the nearest port, or the node's first that fits. */
export function targetAt(all: readonly Candidate[], point: Point, zoom: number): Candidate | null {
  let best: Candidate | null = null;
  let least = REACH / zoom;
  for (const candidate of all) {
    const distance = Math.hypot(candidate.point[0] - point[0], candidate.point[1] - point[1]);
    if (distance < least) [best, least] = [candidate, distance];
  }
  if (best) return best;
  const { heights } = boardStore.getState();
  const below = all.filter(({ item }) => contains(grown(nodeRect(item, heights.get(item.id)), 4), point));
  const inOrder = [...below].sort((a, b) => Number(a.linked) - Number(b.linked) || Number(b.plain) - Number(a.plain));
  return inOrder[0] ?? null;
}

/** Begin to draw from an output. */
export function drawFromOutput(event: PointerEvent, node: string, port: string): void {
  const { scene } = boardStore.getState();
  const item = scene.nodes.get(node);
  const start = item && outputPoint(item, port);
  const type = outputSchema(item?.schema, port)?.type ?? "*";
  if (start) draw(event, { loose: { kind: "output", end: { node, output: port }, type }, start, taken: null });
}

/** Begin to draw at an input: its wire comes off and is led on by its loose end, or a new one is drawn backwards. */
export function drawFromInput(event: PointerEvent, to: InputEnd, wireKey: string): void {
  const { scene } = boardStore.getState();
  const wire = scene.wires.get(wireKey);
  const source = wire && scene.nodes.get(wire.from.node);
  if (wire && source) {
    const start = outputPoint(source, wire.from.output);
    const loose: LooseEnd = { kind: "output", end: wire.from, type: wire.type };
    if (start) draw(event, { loose, start, taken: wire.to });
    return;
  }
  const item = scene.nodes.get(to.node);
  const start = item && inputPoint(item, to);
  const type = inputSchema(item?.schema, to.input)?.type ?? "*";
  if (start) draw(event, { loose: { kind: "input", end: to, type }, start, taken: null });
}

function draw(event: PointerEvent, begun: Pick<Drawing, "loose" | "start" | "taken">): void {
  event.preventDefault();
  const { scene, camera } = boardStore.getState();
  const all = candidates(scene, begun.loose);
  const fits = new Set(all.map((candidate) => candidate.key));
  const zoom = camera?.view().zoom ?? 1;
  const from: Point = [event.clientX, event.clientY];
  let stirred = false;

  const move = (now: PointerEvent) => {
    stirred ||= Math.hypot(now.clientX - from[0], now.clientY - from[1]) > STIR;
    if (!stirred) return;
    const at = toCanvas([now.clientX, now.clientY]);
    const target = targetAt(all, at, zoom);
    drawingStore.setState({
      drawing: { ...begun, end: target?.point ?? at, fits, target: target?.key ?? null },
    });
  };
  const up = (now: PointerEvent) => {
    stop();
    if (!stirred) return;
    const at = toCanvas([now.clientX, now.clientY]);
    const target = targetAt(all, at, zoom);
    if (target) connectTo(begun.loose, target.key, begun.taken);
    else letGo(begun, [now.clientX, now.clientY], at);
  };
  const key = (now: KeyboardEvent) => {
    if (now.key !== "Escape") return;
    now.stopPropagation();
    stop();
  };
  const stop = () => {
    drawingStore.setState({ drawing: null });
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", up);
    window.removeEventListener("pointercancel", stop);
    window.removeEventListener("keydown", key, true);
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", up);
  window.addEventListener("pointercancel", stop);
  window.addEventListener("keydown", key, true);
}

/** Connect a loose end to a port; the input that the wire was taken off stays empty. */
export function connectTo(loose: LooseEnd, target: PortKey, taken: InputEnd | null = null): void {
  const { tab, scope, inside } = here();
  const schemas = schemasHere();
  const [, node = "", port = ""] = target.match(/^(?:in|out)\n(.*)\n(.*)$/s) ?? [];
  const from = loose.kind === "output" ? loose.end : { node, output: port };
  const to = loose.kind === "output" ? inputEnd(node, port) : loose.end;
  const change = connectChange(scope, from, to, schemas.get(scope.nodes[to.node]?.type ?? ""));
  if (!change) return;
  const back = taken && taken.node === to.node && taken.input === to.input && taken.index === to.index;
  if (back) return;
  tab.dispatch(taken ? [{ type: "disconnect", ...inside, to: taken }, change] : [change]);
}

/** The end that a port of a scene's node stands for. */
export function inputEnd(node: string, port: string): InputEnd {
  const item = boardStore.getState().scene.nodes.get(node);
  const found = item?.plan.inputs.find((each) => each.id === port);
  return found?.index === undefined ? { node, input: port } : { node, input: found.schema.name, index: found.index };
}

/** A wire let go over nothing: one that was taken off is gone; a new one asks what to add. */
function letGo(begun: Pick<Drawing, "loose" | "taken">, screen: Point, at: Point): void {
  const { inside } = here();
  if (begun.taken) {
    activeTab()
      .getState()
      .dispatch({ type: "disconnect", ...inside, to: begun.taken });
    return;
  }
  uiStore.setState({ search: { screen, at, loose: begun.loose } });
}
