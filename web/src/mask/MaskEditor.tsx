/** Paint where a picture is to be repainted. What comes out is a mask file; the picture itself stays as it is. */

import {
  Brush as BrushIcon,
  Contrast,
  Eraser,
  Maximize,
  Minus,
  PaintBucket,
  Plus,
  Redo2,
  Trash2,
  Undo2,
} from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { sentence } from "../api/errors";
import { Button, Dialog, EmptyState, IconButton, Segmented, Spinner } from "../theme";
import { Amount } from "./Amount";
import { type CanvasHandle, MaskCanvas } from "./MaskCanvas";
import { type Area, type Colour, invert, maskOfAlpha } from "./mask";
import { maskFile, readPixels } from "./pixels";
import { Strokes } from "./strokes";
import "./mask.css";

interface MaskEditorProps {
  /** The picture's name, for the title. */
  name: string;
  /** Instead of that title, for people who paint a hole and never heard of masks. */
  title?: string;
  url: string;
  /** Store the mask; the editor stays open, and says why, when that fails. */
  onSave(mask: Blob): Promise<void>;
  onClose(): void;
}

/** Loaded only when a mask is painted, hence the default export. */
export default function MaskEditor({ url, ...rest }: MaskEditorProps) {
  const { name, title = `Mask of ${name}`, onClose } = rest;
  const [pixels, setPixels] = useState<ImageData | string | null>(null);
  useEffect(() => {
    let here = true;
    readPixels(url).then(
      (read) => here && setPixels(read),
      (error: unknown) => here && setPixels(sentence(error)),
    );
    return () => {
      here = false;
    };
  }, [url]);
  if (pixels instanceof ImageData)
    return <Editor {...rest} title={title} done={rest.title ? "Done" : "Use this mask"} pixels={pixels} />;
  return (
    <Dialog title={title} size="full" flush onClose={onClose}>
      {pixels === null ? (
        <div className="mask-wait">
          <Spinner /> Reading the picture
        </div>
      ) : (
        <EmptyState title="There is nothing to paint on">{pixels}</EmptyState>
      )}
    </Dialog>
  );
}

interface EditorProps extends Omit<MaskEditorProps, "url" | "name"> {
  title: string;
  /** Of the button that ends painting. */
  done: string;
  pixels: ImageData;
}

const SIZE = { least: 1, most: 500 };
/** A safelight's red is seen on most pictures, and one of the others where it is not. */
const COLOURS: { name: string; colour: Colour }[] = [
  { name: "red", colour: [255, 45, 30] },
  { name: "green", colour: [40, 230, 120] },
  { name: "white", colour: [255, 255, 255] },
  { name: "black", colour: [0, 0, 0] },
];
const SIZE_STEP = 1.15;
const ZOOM_STEP = 1.25;

function Editor({ title, done, pixels, onSave, onClose }: EditorProps) {
  const mask = useMemo(() => maskOfAlpha(pixels.data, pixels.width, pixels.height), [pixels]);
  const strokes = useMemo(() => new Strokes(mask), [mask]);
  const canvas = useRef<CanvasHandle>(null);
  const [erase, setErase] = useState(false);
  const [size, setSize] = useState(() => Math.max(4, Math.round(Math.min(pixels.width, pixels.height) / 10)));
  const [hardness, setHardness] = useState(0.8);
  const [cover, setCover] = useState(0.6);
  const [tint, setTint] = useState(0);
  const [zoom, setZoom] = useState(1);
  const [edits, setEdits] = useState(0);
  const [leaving, setLeaving] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState("");
  const most = Math.max(SIZE.most, Math.max(pixels.width, pixels.height) / 2);

  const changed = (area: Area | null) => {
    if (!area) return;
    canvas.current?.show(area);
    setEdits((count) => count + 1);
  };
  const close = () => (edits > 0 && strokes.canUndo && !leaving ? setLeaving(true) : onClose());
  const save = async () => {
    setSaving(true);
    setError("");
    try {
      await onSave(await maskFile(mask));
    } catch (problem) {
      setError(sentence(problem));
      setSaving(false);
    }
  };
  const resize = (factor: number) =>
    setSize((now) => {
      const scaled = factor > 1 ? Math.max(now + 1, now * factor) : Math.min(now - 1, now * factor);
      return Math.round(Math.min(most, Math.max(SIZE.least, scaled)));
    });
  const invertAll = () => changed(strokes.all(invert));
  const fillAll = () => changed(strokes.all(({ data }) => data.fill(255)));
  const clearAll = () => changed(strokes.all(({ data }) => data.fill(0)));
  const shade = COLOURS[tint % COLOURS.length] as (typeof COLOURS)[number];
  const nextShade = () => setTint((now) => now + 1);
  const zoomBy = (factor: number) => canvas.current?.zoom(factor);
  const showAll = () => canvas.current?.showAll();
  const harden = (by: number) => setHardness((now) => Math.min(1, Math.max(0, Math.round((now + by) * 10) / 10)));
  const keys = new Map<string, () => void>([
    ["[", () => resize(1 / SIZE_STEP)],
    ["]", () => resize(SIZE_STEP)],
    ["{", () => harden(-0.1)],
    ["}", () => harden(0.1)],
    ["b", () => setErase(false)],
    ["e", () => setErase(true)],
    ["x", () => setErase((now) => !now)],
    ["c", nextShade],
    ["i", invertAll],
    ["f", fillAll],
    ["Delete", clearAll],
    ["0", showAll],
    ["+", () => zoomBy(ZOOM_STEP)],
    ["-", () => zoomBy(1 / ZOOM_STEP)],
  ]);
  const onKeyDown = (event: KeyboardEvent) => {
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
      <p className="mask-say">Leave without the mask you painted?</p>
      <Button onClick={() => setLeaving(false)}>Keep painting</Button>
      <Button kind="danger" onClick={onClose}>
        Throw it away
      </Button>
    </>
  ) : (
    <>
      <p className="mask-say" role="status">
        {error || "Paint over what is to be made anew. The rest stays as it is."}
      </p>
      <Button onClick={close}>Cancel</Button>
      <Button kind="primary" busy={saving} onClick={save}>
        {done}
      </Button>
    </>
  );
  return (
    <Dialog title={title} size="full" flush onClose={close} footer={footer} onKeyDown={onKeyDown}>
      <div className="mask">
        <div className="mask-tools" role="toolbar" aria-label="Mask tools">
          <Segmented
            label="Tool"
            value={erase ? "erase" : "paint"}
            choices={[
              { value: "paint", label: "Paint", icon: <BrushIcon /> },
              { value: "erase", label: "Erase", icon: <Eraser /> },
            ]}
            onChange={(tool) => setErase(tool === "erase")}
          />
          <Amount
            label="Size"
            keys="[ and ]"
            value={size}
            least={SIZE.least}
            most={most}
            unit=" px"
            onChange={setSize}
          />
          <Amount
            label="Hardness"
            value={Math.round(hardness * 100)}
            unit="%"
            onChange={(now) => setHardness(now / 100)}
          />
          <Amount
            label="Overlay"
            minor
            value={Math.round(cover * 100)}
            unit="%"
            least={10}
            onChange={(now) => setCover(now / 100)}
          />
          <IconButton label={`Overlay colour: ${shade.name}`} shortcut="C" onClick={nextShade}>
            <span className="mask-shade" style={{ background: `rgb(${shade.colour.join(" ")})` }} />
          </IconButton>
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
          </span>
          <span className="mask-group">
            <IconButton label="Invert" shortcut="I" onClick={invertAll}>
              <Contrast />
            </IconButton>
            <IconButton label="Fill all" shortcut="F" onClick={fillAll}>
              <PaintBucket />
            </IconButton>
            <IconButton label="Clear" shortcut="Delete" onClick={clearAll}>
              <Trash2 />
            </IconButton>
          </span>
          <span className="mask-group mask-zoom">
            <IconButton label="Zoom out" shortcut="-" onClick={() => zoomBy(1 / ZOOM_STEP)}>
              <Minus />
            </IconButton>
            <output aria-label="Zoom">{Math.round(zoom * 100)}%</output>
            <IconButton label="Zoom in" shortcut="+" onClick={() => zoomBy(ZOOM_STEP)}>
              <Plus />
            </IconButton>
            <IconButton label="Show all" shortcut="0" onClick={showAll}>
              <Maximize />
            </IconButton>
          </span>
        </div>
        <MaskCanvas
          ref={canvas}
          pixels={pixels}
          mask={mask}
          strokes={strokes}
          brush={{ erase, hardness }}
          size={size}
          cover={cover}
          colour={shade.colour}
          onStroke={() => setEdits((count) => count + 1)}
          onZoom={setZoom}
        />
      </div>
    </Dialog>
  );
}
