/** Draw a picture, a mask, or a map of named colours. Loaded only when it is opened. */

import { Brush, Eraser, Maximize, Minus, PaintBucket, Pipette, Plus, Redo2, Trash2, Undo2 } from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { sentence } from "../api/errors";
import type { CanvasSchema } from "../document";
import { Amount } from "../mask/Amount";
import type { Area, Colour } from "../mask/mask";
import { Strokes } from "../mask/strokes";
import { Button, type Choice, Dialog, EmptyState, IconButton, Segmented, Spinner } from "../theme";
import { COMMON, Swatches } from "./Colours";
import { DrawingCanvas, type DrawingHandle, type Tool } from "./DrawingCanvas";
import { drawingFile, openRaster } from "./picture";
import { clear, paperOf, type Raster, readCode, WHITE, writeCode } from "./raster";
import { Trace, useTrace } from "./Trace";
import "../mask/mask.css";
import "./drawing.css";

interface DrawingEditorProps {
  title: string;
  /** What was drawn before; null: begin anew. */
  url: string | null;
  canvas: CanvasSchema;
  size: { width: number; height: number };
  /** Store the drawing; the editor stays open, and says why, when that fails. */
  onSave(drawing: Blob): Promise<void>;
  onClose(): void;
}

/** Hence the default export: see above. */
export default function DrawingEditor(props: DrawingEditorProps) {
  const { title, url, canvas, size, onClose } = props;
  const { width, height } = size;
  const [raster, setRaster] = useState<Raster | string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read once, when the editor opens
  useEffect(() => {
    let here = true;
    openRaster(url, canvas, { width, height }).then(
      (read) => here && setRaster(read),
      (error: unknown) => here && setRaster(sentence(error)),
    );
    return () => {
      here = false;
    };
  }, []);
  if (raster !== null && typeof raster !== "string") return <Editor {...props} raster={raster} />;
  return (
    <Dialog title={title} size="full" flush onClose={onClose}>
      {raster === null ? (
        <div className="mask-wait">
          <Spinner /> Laying out the sheet
        </div>
      ) : (
        <EmptyState title="The drawing cannot be opened">{raster}</EmptyState>
      )}
    </Dialog>
  );
}

const SIZE = { least: 1, most: 300 };
const STEP = 1.15;
const ZOOM_STEP = 1.25;
const TOOLS: Choice<Tool>[] = [
  { value: "brush", label: "Brush", icon: <Brush /> },
  { value: "erase", label: "Eraser", icon: <Eraser /> },
  { value: "fill", label: "Fill", icon: <PaintBucket /> },
  { value: "pick", label: "Pick", icon: <Pipette /> },
];

function Editor({ title, canvas, raster, onSave, onClose }: DrawingEditorProps & { raster: Raster }) {
  const strokes = useMemo(() => new Strokes(raster), [raster]);
  const paper = useMemo(() => paperOf(canvas), [canvas]);
  const sheet = useRef<DrawingHandle>(null);
  const trace = useTrace();
  const [tool, setTool] = useState<Tool>("brush");
  const [colour, setColour] = useState<Colour>(() => firstColour(canvas));
  const [size, setSize] = useState(() => Math.max(3, Math.round(Math.min(raster.width, raster.height) / 14)));
  const [hardness, setHardness] = useState(0.8);
  const [opacity, setOpacity] = useState(1);
  const [zoom, setZoom] = useState(1);
  const [edits, setEdits] = useState(0);
  const [leaving, setLeaving] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState("");
  const hard = canvas.palette !== null;
  const free = !hard && !canvas.mask;

  const changed = (area: Area | null) => {
    if (!area) return;
    sheet.current?.show(area);
    setEdits((count) => count + 1);
  };
  const close = () => (edits > 0 && strokes.canUndo && !leaving ? setLeaving(true) : onClose());
  const save = async () => {
    setSaving(true);
    setError("");
    try {
      await onSave(await drawingFile(raster));
    } catch (problem) {
      setError(sentence(problem));
      setSaving(false);
    }
  };
  const resize = (factor: number) =>
    setSize((now) => {
      const scaled = factor > 1 ? Math.max(now + 1, now * factor) : Math.min(now - 1, now * factor);
      return Math.round(Math.min(SIZE.most, Math.max(SIZE.least, scaled)));
    });
  const choose = (chosen: Colour) => {
    setColour(chosen);
    if (tool === "erase" || tool === "pick") setTool("brush");
  };
  const clearAll = () => changed(strokes.all((all) => clear(all, paper)));
  const zoomBy = (factor: number) => sheet.current?.zoom(factor);
  const keys = new Map<string, () => void>([
    ["[", () => resize(1 / STEP)],
    ["]", () => resize(STEP)],
    ["b", () => setTool("brush")],
    ["e", () => setTool("erase")],
    ["g", () => setTool("fill")],
    ["Delete", clearAll],
    ["0", () => sheet.current?.showAll()],
    ["+", () => zoomBy(ZOOM_STEP)],
    ["-", () => zoomBy(1 / ZOOM_STEP)],
    ...(free ? [["i", () => setTool("pick")] as const] : []),
  ]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== "range") return;
    const chord = event.ctrlKey || event.metaKey;
    const undoing = chord && event.key.toLowerCase() === "z";
    if (undoing || (chord && event.key.toLowerCase() === "y")) {
      event.preventDefault();
      changed(undoing && !event.shiftKey ? strokes.undo() : strokes.redo());
    } else if (!chord && !event.altKey && keys.has(event.key)) {
      event.preventDefault();
      keys.get(event.key)?.();
    }
  };

  const footer = leaving ? (
    <>
      <p className="mask-say">Leave without what you drew?</p>
      <Button onClick={() => setLeaving(false)}>Keep drawing</Button>
      <Button kind="danger" onClick={onClose}>
        Throw it away
      </Button>
    </>
  ) : (
    <>
      <p className="mask-say" role="status">
        {error || adviceFor(canvas)}
      </p>
      <Button onClick={close}>Cancel</Button>
      <Button kind="primary" busy={saving} onClick={save}>
        Use this drawing
      </Button>
    </>
  );
  return (
    <Dialog title={title} size="full" flush onClose={close} footer={footer} onKeyDown={onKeyDown}>
      <div className="mask">
        <div className="mask-tools" role="toolbar" aria-label="Drawing tools">
          <Segmented
            label="Tool"
            value={tool}
            choices={free ? TOOLS : TOOLS.filter(({ value }) => value !== "pick")}
            onChange={(chosen) => setTool(chosen)}
          />
          {!canvas.mask && (
            <span className="mask-group drawing-colours">
              {free && (
                <input
                  type="color"
                  className="swatch"
                  aria-label="Any colour"
                  value={writeCode(colour)}
                  onChange={(event) => choose(readCode(event.target.value) ?? colour)}
                />
              )}
              <Swatches palette={canvas.palette ?? COMMON} named={hard} colour={colour} onChoose={choose} />
            </span>
          )}
          <Amount
            label="Size"
            keys="[ and ]"
            value={size}
            least={SIZE.least}
            most={SIZE.most}
            unit=" px"
            onChange={setSize}
          />
          {!hard && (
            <Amount
              label="Hardness"
              value={Math.round(hardness * 100)}
              unit="%"
              onChange={(now) => setHardness(now / 100)}
            />
          )}
          {free && (
            <Amount
              label="Opacity"
              value={Math.round(opacity * 100)}
              least={5}
              unit="%"
              onChange={(now) => setOpacity(now / 100)}
            />
          )}
          <span className="mask-group">
            <IconButton
              label="Undo"
              shortcut="Ctrl+Z"
              disabled={!strokes.canUndo}
              onClick={() => changed(strokes.undo())}
            >
              <Undo2 />
            </IconButton>
            <IconButton
              label="Redo"
              shortcut="Ctrl+Y"
              disabled={!strokes.canRedo}
              onClick={() => changed(strokes.redo())}
            >
              <Redo2 />
            </IconButton>
            <IconButton label="Clear" shortcut="Delete" onClick={clearAll}>
              <Trash2 />
            </IconButton>
          </span>
          <Trace trace={trace} />
          <span className="mask-group mask-zoom">
            <IconButton label="Zoom out" shortcut="-" onClick={() => zoomBy(1 / ZOOM_STEP)}>
              <Minus />
            </IconButton>
            <output aria-label="Zoom">{Math.round(zoom * 100)}%</output>
            <IconButton label="Zoom in" shortcut="+" onClick={() => zoomBy(ZOOM_STEP)}>
              <Plus />
            </IconButton>
            <IconButton label="Show all" shortcut="0" onClick={() => sheet.current?.showAll()}>
              <Maximize />
            </IconButton>
          </span>
        </div>
        <DrawingCanvas
          ref={sheet}
          raster={raster}
          strokes={strokes}
          tool={tool}
          colour={colour}
          paper={paper}
          size={size}
          hardness={hardness}
          opacity={opacity}
          hard={hard}
          trace={trace}
          onStroke={() => setEdits((count) => count + 1)}
          onPick={choose}
          onZoom={setZoom}
        />
      </div>
    </Dialog>
  );
}

/** To begin with: white on a black mask, the first class that is not the ground, else black ink. */
function firstColour(canvas: CanvasSchema): Colour {
  if (canvas.mask) return WHITE;
  return readCode((canvas.palette?.[1] ?? COMMON[0])?.colour ?? "") ?? WHITE;
}

function adviceFor(canvas: CanvasSchema): string {
  if (canvas.mask) return "What you paint white is made anew; what stays black is kept.";
  if (canvas.palette) return "Choose what goes there, and paint or fill. Every spot is one thing or another.";
  return canvas.transparent ? "What you leave empty stays empty." : "Draw on the white sheet.";
}
