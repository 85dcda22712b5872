/** The canvas: a scope of the tab on show, to look at and to work in. */

import {
  Background,
  type NodeChange,
  type NodeTypes,
  PanOnScrollMode,
  ReactFlow,
  type ReactFlowInstance,
  SelectionMode,
  type Viewport,
  ViewportPortal,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import {
  type DragEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { addNode } from "../app/actions";
import { useCatalogue } from "../app/catalogue";
import { activeTab, type Selection, scopeId, useTab } from "../app/store";
import { openMenu, uiStore } from "../app/ui";
import { catalogueOf, GRID, type Point, scopeOf, withPositions } from "../document";
import { jumpStore } from "../live/jump";
import { useSettings } from "../live/settings";
import { BoundaryCards } from "./BoundaryCards";
import { boardStore, type Camera, FAR, fitView, startView, toCanvas, useBoard, ZOOM } from "./board";
import { type Cut, CutLine } from "./Cut";
import { type Cargo, carry, load } from "./dragging";
import { Far } from "./Far";
import { type FlowNode, FlowNodes, readFlowId } from "./flow";
import { GraphNode } from "./GraphNode";
import { GroupFrame } from "./GroupFrame";
import type { Rect } from "./geometry";
import { claimPress } from "./gestures";
import { Minimap } from "./Minimap";
import { canvasMenu } from "./menus";
import { NoteCard } from "./NoteCard";
import { buildScene, type Scene, sceneRect } from "./scene";
import { stir } from "./stillness";
import { DrawnWire, Wires } from "./Wires";

const NODE_TYPES = { node: GraphNode, group: GroupFrame, note: NoteCard } as unknown as NodeTypes;
/** Type of what is dragged from the tree of nodes: the node type's name. */
export const NODE_DRAG = "application/x-darkroom-node";
/** Wires are looked through anew when the view has moved by this much, in the canvas's measure. */
const BLOCK = 512;
const NO_HEIGHTS: ReadonlyMap<string, number> = new Map();

/** Key it by tab and scope: another scope is another canvas. */
export function Canvas({ scope: scopeName }: { scope: string }) {
  const scene = useScene();
  const selection = useTab((tab) => tab.selection);
  const heights = useBoard((board) => board.heights);
  const far = useBoard((board) => board.far);
  const snapping = useSettings((settings) => settings.snap);
  const minimap = useSettings((settings) => settings.minimap);
  const [flowNodes] = useState(() => new FlowNodes());
  const nodes = useMemo(() => flowNodes.of(scene, selection, heights), [flowNodes, scene, selection, heights]);
  const wrapper = useRef<HTMLDivElement>(null);
  const [visible, setVisible] = useState<Rect>({ x: 0, y: 0, width: 0, height: 0 });
  const [cut, setCut] = useState<Cut | null>(null);
  const claimed = useRef(false);
  const onNodesChange = useNodesChange();
  const look = useCallback((view: Viewport) => {
    const box = wrapper.current?.getBoundingClientRect();
    if (box) setVisible((before) => seen(before, view, box));
    const isFar = view.zoom < FAR;
    if (isFar !== boardStore.getState().far) boardStore.setState({ far: isFar });
  }, []);
  const onInit = useCamera(scopeName, wrapper, look);
  useStayPut(wrapper);
  const setView = useTab((tab) => tab.setView);
  const select = useTab((tab) => tab.select);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the canvas listens for what its parts do not take
    <div
      ref={wrapper}
      className="canvas"
      data-testid="canvas"
      onPointerMove={(event) => boardStore.setState({ pointer: [event.clientX, event.clientY] })}
      onPointerLeave={() => boardStore.setState({ pointer: null })}
      onPointerDownCapture={(event) => {
        claimed.current = claimPress(event, setCut);
        if (claimed.current) event.stopPropagation();
      }}
      onMouseDownCapture={(event) => {
        if (claimed.current) event.stopPropagation();
      }}
      onDoubleClick={(event) => {
        if (!onPane(event.target)) return;
        const screen: Point = [event.clientX, event.clientY];
        uiStore.setState({ search: { screen, at: toCanvas(screen) } });
      }}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(NODE_DRAG)) event.preventDefault();
      }}
      onDrop={dropNode}
    >
      <ReactFlow<FlowNode>
        nodes={far ? NO_NODES : nodes}
        edges={NO_EDGES}
        nodeTypes={NODE_TYPES}
        onNodesChange={onNodesChange}
        onInit={onInit}
        onMove={(_, view) => {
          stir();
          look(view);
        }}
        onMoveEnd={(_, view) => setView(scopeName, view)}
        onPaneContextMenu={(event) => {
          event.preventDefault();
          const screen: Point = [event.clientX, event.clientY];
          openMenu("Canvas", { x: event.clientX, y: event.clientY }, canvasMenu(screen, toCanvas(screen)));
        }}
        onPaneClick={() => select({})}
        onlyRenderVisibleElements
        minZoom={ZOOM.least}
        maxZoom={ZOOM.most}
        panOnDrag={PAN_BUTTONS}
        panOnScrollMode={PanOnScrollMode.Free}
        panActivationKeyCode="Space"
        selectionKeyCode={SELECT_KEYS}
        multiSelectionKeyCode={ADD_KEYS}
        selectionMode={SelectionMode.Partial}
        deleteKeyCode={null}
        zoomOnDoubleClick={false}
        nodesConnectable={false}
        snapToGrid={snapping}
        snapGrid={SNAP_GRID}
        nodeDragThreshold={3}
        elevateNodesOnSelect
        proOptions={PRO}
        aria-label="Workflow canvas"
      >
        {!far && <Background gap={GRID * 3} size={1.25} />}
        <ViewportPortal>
          {!far && <Wires scene={scene} visible={visible} />}
          {!far && scopeName !== "" && <BoundaryCards scene={scene} />}
          <DrawnWire scene={scene} />
        </ViewportPortal>
      </ReactFlow>
      {far && <Far scene={scene} />}
      {cut && <CutLine cut={cut} />}
      {minimap && <Minimap scene={scene} />}
    </div>
  );
}

const NO_NODES: FlowNode[] = [];
const NO_EDGES: never[] = [];
const PAN_BUTTONS = [0, 1];
const SELECT_KEYS = ["Control", "Meta"];
const ADD_KEYS = ["Shift", "Control", "Meta"];
const SNAP_GRID: [number, number] = [GRID, GRID];
const PRO = { hideAttribution: true };

function onPane(target: EventTarget): boolean {
  return target instanceof Element && target.classList.contains("react-flow__pane");
}

/** The scene of the scope on show; parts that did not change stay the same objects. */
function useScene(): Scene {
  const document = useTab((tab) => tab.document);
  const id = useTab(scopeId);
  const catalogue = useCatalogue();
  const style = useSettings((settings) => settings.wires);
  const before = useRef<Scene>(undefined);
  const scope = scopeOf(document, id) ?? document;
  const scene = useMemo(
    () => buildScene(scope, catalogueOf(document, catalogue), style, before.current),
    [scope, document, catalogue, style],
  );
  before.current = scene;
  const prepare = useTab((tab) => tab.prepare);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new document may have nodes without a place
  useEffect(() => {
    if (catalogue.size > 0) prepare((now) => withPositions(now, catalogue));
  }, [prepare, catalogue, document]);
  // Commands and drags must see the scene that is on the page, before anything else happens.
  useLayoutEffect(() => boardStore.setState({ scene }), [scene]);
  return scene;
}

/** Hand the canvas's view to those outside, and begin where it was left or with everything in view. */
function useCamera(
  scopeName: string,
  wrapper: RefObject<HTMLDivElement | null>,
  look: (view: Viewport) => void,
): (flow: ReactFlowInstance<FlowNode>) => void {
  const stored = useTab((tab) => tab.views[scopeName] ?? scopeOf(tab.document, scopeId(tab))?.layout?.view);
  const first = useRef(stored);
  useEffect(() => jumpStore.subscribe(({ node }) => node !== null && setTimeout(() => fitView([node]))), []);
  useEffect(
    () => () => {
      boardStore.setState({ camera: null, heights: NO_HEIGHTS });
    },
    [],
  );
  return useCallback(
    (flow) => {
      const camera: Camera = {
        view: () => flow.getViewport(),
        move: (view, duration = 0) => void flow.setViewport(view, { duration }),
        box: () => wrapper.current?.getBoundingClientRect() ?? new DOMRect(),
      };
      boardStore.setState({ camera, heights: NO_HEIGHTS });
      const { scene } = boardStore.getState();
      const rect = sceneRect(scene, NO_HEIGHTS);
      const view = first.current ?? (rect ? startView(rect, camera.box()) : { x: 0, y: 0, zoom: 1 });
      camera.move(view);
      look(view);
    },
    [wrapper, look],
  );
}

/** Keep everything where it is on the screen when a panel at the left opens or closes. */
function useStayPut(wrapper: RefObject<HTMLDivElement | null>): void {
  useLayoutEffect(() => {
    const element = wrapper.current;
    if (!element) return;
    let left = element.getBoundingClientRect().left;
    const observer = new ResizeObserver(() => {
      const now = element.getBoundingClientRect().left;
      const { camera } = boardStore.getState();
      if (camera && now !== left) {
        const view = camera.view();
        camera.move({ ...view, x: view.x + left - now });
      }
      left = now;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [wrapper]);
}

/** The part of the canvas on show, in whole blocks, so that it changes now and then only. */
function seen(before: Rect, view: Viewport, box: DOMRect): Rect {
  const down = (value: number) => Math.floor(value / BLOCK) * BLOCK - BLOCK;
  const x = down(-view.x / view.zoom);
  const y = down(-view.y / view.zoom);
  const width = Math.ceil(box.width / view.zoom / BLOCK + 3) * BLOCK;
  const height = Math.ceil(box.height / view.zoom / BLOCK + 3) * BLOCK;
  const same = before.x === x && before.y === y && before.width === width && before.height === height;
  return same ? before : { x, y, width, height };
}

/** What the canvas library reports of its nodes: selected, measured, moved. */
function useNodesChange(): (changes: NodeChange<FlowNode>[]) => void {
  const select = useTab((tab) => tab.select);
  const endDeed = useTab((tab) => tab.endDeed);
  const cargo = useRef<Cargo | null>(null);
  return useCallback(
    (changes) => {
      // Read now: two presses may come before the page is drawn again.
      const { selection } = activeTab().getState();
      const selected = afterSelecting(selection, changes);
      if (selected !== selection) select(selected);
      measure(changes);
      const moved = changes.find((change) => change.type === "position" && change.position);
      if (moved?.type === "position" && moved.position) {
        if (!cargo.current) {
          const moving = movingWith(selected, changes);
          cargo.current = load(moving, `drag ${moved.id} ${performance.now()}`);
        }
        const start = startOf(cargo.current, moved.id);
        if (start) carry(cargo.current, [moved.position.x - start[0], moved.position.y - start[1]]);
      }
      if (changes.some((change) => change.type === "position" && !change.dragging)) {
        cargo.current = null;
        endDeed();
      }
    },
    [select, endDeed],
  );
}

/** What a drag moves: what is selected, and the node that was grasped if it is not. */
function movingWith(selection: Selection, changes: NodeChange<FlowNode>[]) {
  const nodes = new Set(selection.nodes);
  const groups = new Set(selection.groups);
  const notes = new Set(selection.notes);
  for (const change of changes) {
    if (change.type !== "position") continue;
    const { kind, id } = readFlowId(change.id);
    if (kind === "node") nodes.add(id);
    else (kind === "group" ? groups : notes).add(Number(id));
  }
  return { nodes, groups, notes };
}

function startOf(cargo: Cargo, flowId: string): Point | undefined {
  const { kind, id } = readFlowId(flowId);
  if (kind === "node") return cargo.nodes.get(id);
  return (kind === "group" ? cargo.groups : cargo.notes).get(Number(id));
}

function afterSelecting(selection: Selection, changes: NodeChange<FlowNode>[]): Selection {
  const relevant = changes.filter((change) => change.type === "select");
  if (relevant.length === 0) return selection;
  const nodes = new Set(selection.nodes);
  const groups = new Set(selection.groups);
  const notes = new Set(selection.notes);
  for (const change of relevant) {
    const { kind, id } = readFlowId(change.id);
    const set: Set<string | number> = kind === "node" ? nodes : kind === "group" ? groups : notes;
    const key = kind === "node" ? id : Number(id);
    if (change.selected) set.add(key);
    else set.delete(key);
  }
  // Choosing nodes lets go of wires.
  return { nodes, groups, notes, wires: new Set() };
}

/** Note how tall nodes really are, for everything that reckons with their boxes. */
function measure(changes: NodeChange<FlowNode>[]): void {
  const { heights } = boardStore.getState();
  let next: Map<string, number> | null = null;
  for (const change of changes) {
    if (change.type !== "dimensions" || !change.dimensions) continue;
    const { kind, id } = readFlowId(change.id);
    if (kind !== "node" || heights.get(id) === change.dimensions.height) continue;
    next ??= new Map(heights);
    next.set(id, change.dimensions.height);
  }
  if (next) boardStore.setState({ heights: next });
}

function dropNode(event: DragEvent): void {
  const type = event.dataTransfer.getData(NODE_DRAG);
  if (type === "") return;
  event.preventDefault();
  addNode(type, toCanvas([event.clientX, event.clientY]));
}
