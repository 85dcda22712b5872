/** The wires of a scene, drawn in the canvas's own measure under the nodes. */

import { memo, type PointerEvent as ReactPointerEvent, useMemo, useState } from "react";
import { useStore } from "zustand";
import { here } from "../app/actions";
import { useTab } from "../app/store";
import { openMenu } from "../app/ui";
import type { Change, Point } from "../document";
import { snap } from "../document";
import { classes, portLook } from "../theme";
import { toCanvas } from "./board";
import { drawingStore } from "./connecting";
import { grown, overlaps, passes, placeOnWire, type Rect, sampleWire, wirePath } from "./geometry";
import type { Scene, SceneWire } from "./scene";
import { useShape } from "./shapes";

interface WiresProps {
  scene: Scene;
  /** The part of the canvas that is on show, and a good deal around it. */
  visible: Rect;
}

export function Wires({ scene, visible }: WiresProps) {
  const selected = useTab((tab) => tab.selection.wires);
  const shown = useMemo(
    () => [...scene.wires.values()].filter((wire) => comesBy(wire, scene, visible)),
    [scene, visible],
  );
  return (
    <svg className="wires" aria-hidden="true">
      <title>Wires</title>
      {shown.map((wire) => (
        <WirePath key={wire.key} wire={wire} scene={scene} selected={selected.has(wire.key)} />
      ))}
    </svg>
  );
}

/**
 * Whether a wire is to be drawn. Of a node that feeds hundreds most wires pass elsewhere though their boxes overlap with
 * the view, and each one drawn costs with every movement.
 */
function comesBy(wire: SceneWire, { style }: Scene, visible: Rect): boolean {
  return overlaps(grown(wire.rect, PULLED), visible) && passes(sampleWire(wire.points, style), visible);
}

/** How far a curve may swing out of the box around its points. */
const PULLED = 200;

interface WirePathProps {
  wire: SceneWire;
  scene: Scene;
  selected: boolean;
}

const WirePath = memo(
  function WirePath({ wire, scene, selected }: WirePathProps) {
    const taken = useStore(drawingStore, ({ drawing }) => {
      const to = drawing?.taken;
      return !!to && to.node === wire.to.node && to.input === wire.to.input && to.index === wire.to.index;
    });
    const shape = useShape(scene.nodes.get(wire.from.node), wire.from.output);
    const { colour } = portLook(wire.type);
    const via = wire.points.slice(1, -1);
    if (taken) return null;
    return (
      <g
        className={classes("wire", selected && "wire-selected", wire.idle && "wire-idle")}
        style={{ color: colour }}
        data-wire={wire.key}
      >
        {/* biome-ignore lint/a11y/noStaticElementInteractions: wires are cut and led by mouse; menus do it by keyboard */}
        <path
          className="wire-reach"
          d={wire.path}
          onPointerDown={(event) => pressWire(event, wire, scene)}
          onDoubleClick={(event) => {
            event.stopPropagation();
            addPoint(wire, scene, toCanvas([event.clientX, event.clientY]));
          }}
          onContextMenu={(event) => {
            event.preventDefault();
            event.stopPropagation();
            const at = toCanvas([event.clientX, event.clientY]);
            openMenu("Wire", { x: event.clientX, y: event.clientY }, wireMenu(wire, scene, at));
          }}
        >
          <title>{describe(wire, shape)}</title>
        </path>
        <path className="wire-line" d={wire.path} />
        {via.map((point, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a wire's points are told apart by their order alone
          <WirePoint key={index} wire={wire} index={index} point={point} />
        ))}
      </g>
    );
  },
  (a, b) => a.wire === b.wire && a.selected === b.selected && a.scene.style === b.scene.style,
);

function describe(wire: SceneWire, shape: string | undefined): string {
  return `${wire.type}${shape ? ` ${shape}` : ""}\n${wire.from.node}.${wire.from.output} → ${wire.to.node}.${wire.to.input}`;
}

function pressWire(event: ReactPointerEvent, wire: SceneWire, scene: Scene): void {
  if (event.button !== 0) return;
  event.stopPropagation();
  if (event.altKey) {
    addPoint(wire, scene, toCanvas([event.clientX, event.clientY]));
    return;
  }
  const { tab } = here();
  const wires = new Set(event.shiftKey || event.ctrlKey ? tab.selection.wires : []);
  wires.add(wire.key);
  tab.select({ ...(event.shiftKey || event.ctrlKey ? tab.selection : {}), wires });
}

function points(wire: SceneWire, next: Point[]): Change {
  return { type: "setWirePoints", ...here().inside, to: wire.to, points: next };
}

function addPoint(wire: SceneWire, scene: Scene, at: Point): void {
  const index = placeOnWire(wire.points, scene.style, at);
  const via = wire.points.slice(1, -1);
  here().tab.dispatch(points(wire, [...via.slice(0, index), [snap(at[0]), snap(at[1])], ...via.slice(index)]));
}

function wireMenu(wire: SceneWire, scene: Scene, at: Point) {
  const { tab, inside } = here();
  const straight = wire.points.length === 2;
  return [
    { label: "Add a point here", onSelect: () => addPoint(wire, scene, at) },
    { label: "Remove all points", disabled: straight, onSelect: () => tab.dispatch(points(wire, [])) },
    "separator" as const,
    {
      label: "Delete wire",
      danger: true,
      onSelect: () => tab.dispatch({ type: "disconnect", ...inside, to: wire.to }),
    },
  ];
}

function WirePoint({ wire, index, point }: { wire: SceneWire; index: number; point: Point }) {
  const [dragged, setDragged] = useState(false);
  const remove = () =>
    here().tab.dispatch(
      points(
        wire,
        wire.points.slice(1, -1).filter((_, at) => at !== index),
      ),
    );
  const press = (event: ReactPointerEvent<SVGCircleElement>) => {
    if (event.button !== 0) return;
    event.stopPropagation();
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    setDragged(true);
    const via = wire.points.slice(1, -1);
    const deed = `wire point ${wire.key} ${index} ${event.timeStamp}`;
    const move = (now: PointerEvent) => {
      const [x, y] = toCanvas([now.clientX, now.clientY]);
      const next = via.map((each, at): Point => (at === index ? [snap(x), snap(y)] : each));
      here().tab.dispatch(points(wire, next), deed);
    };
    const up = () => {
      target.removeEventListener("pointermove", move);
      target.removeEventListener("lostpointercapture", up);
      setDragged(false);
      here().tab.endDeed();
    };
    target.addEventListener("pointermove", move);
    target.addEventListener("lostpointercapture", up);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: points are a matter of looks, for the mouse
    <circle
      className={classes("wire-point nopan", dragged && "wire-point-dragged")}
      cx={point[0]}
      cy={point[1]}
      r="5"
      onPointerDown={press}
      onDoubleClick={(event) => {
        event.stopPropagation();
        remove();
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        event.stopPropagation();
        remove();
      }}
    />
  );
}

/** The wire that is being drawn. */
export function DrawnWire({ scene }: { scene: Scene }) {
  const drawing = useStore(drawingStore, (state) => state.drawing);
  if (!drawing) return null;
  const ends: Point[] = drawing.loose.kind === "output" ? [drawing.start, drawing.end] : [drawing.end, drawing.start];
  return (
    <svg className="wires wires-drawn" aria-hidden="true">
      <title>The wire being drawn</title>
      <g className="wire wire-drawn" style={{ color: portLook(drawing.loose.type).colour }}>
        <path className="wire-line" d={wirePath(ends, scene.style)} />
        <circle className="wire-end" cx={drawing.end[0]} cy={drawing.end[1]} r="5" />
      </g>
    </svg>
  );
}
