/** A drawing: what it looks like, and a button that opens the sheet. Each finished drawing is uploaded as a file. */

import { Brush } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { drawingName } from "../drawing/picture";
import { Button, classes, Spinner } from "../theme";
import { Frame } from "./Frame";
import { useFiles } from "./files";
import { readable, shownValue, type WidgetProps } from "./types";
import "../drawing/drawing.css";

const DrawingEditor = lazy(() => import("../drawing/DrawingEditor"));

const THUMBNAIL = { compact: 256, full: 512 };
/** More than the server takes from a canvas nobody draws by hand. */
const LARGEST = 4096;

export function DrawingWidget(props: WidgetProps) {
  const { schema, onChange, compact, disabled, sibling } = props;
  const files = useFiles();
  const [drawing, setDrawing] = useState(false);
  const { canvas } = schema;
  const value = shownValue(props);
  const name = typeof value === "string" && value !== "" ? value : null;
  if (!canvas) return null; // a server that does not say what is drawn on has nothing to draw
  const size = {
    width: sideOf(sibling?.("width"), canvas.width),
    height: sideOf(sibling?.("height"), canvas.height),
  };
  const label = props.label ?? readable(schema.name);
  const deed = name === null ? "Draw" : "Edit";
  const open = () => setDrawing(true);
  return (
    <Frame of={props} kind="drawing" stacked>
      {(control) => (
        <div className="drawn">
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button below does the same */}
          {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the mouse */}
          <div className="drawn-frame" onClick={disabled ? undefined : open}>
            {name === null ? (
              <span className="input-picture-hint">
                <Brush aria-hidden="true" />
                {canvas.mask ? "Paint a mask" : canvas.palette ? "Paint what goes where" : "Draw a picture"}
              </span>
            ) : (
              <div
                className={classes("drawn-sheet", canvas.transparent && "drawn-nothing")}
                style={{ "--ratio": size.width / size.height } as React.CSSProperties}
              >
                <img
                  key={name}
                  src={files.server.pictureUrl(name, THUMBNAIL[compact ? "compact" : "full"])}
                  alt={name}
                  draggable={false}
                />
              </div>
            )}
          </div>
          <Button
            {...control}
            size="small"
            icon={<Brush />}
            aria-label={`${deed}: ${label}${name === null ? ", nothing drawn yet" : ""}`}
            onClick={open}
          >
            {deed}
          </Button>
          {drawing && (
            <Suspense fallback={<Spinner />}>
              <DrawingEditor
                title={`${deed} the ${label.toLowerCase()}`}
                url={name === null ? null : files.server.pictureUrl(name)}
                canvas={canvas}
                size={size}
                onClose={() => setDrawing(false)}
                onSave={async (file) => {
                  onChange(await files.upload(file, drawingName(new Date())), true);
                  setDrawing(false);
                }}
              />
            </Suspense>
          )}
        </div>
      )}
    </Frame>
  );
}

/** What the input beside it says, when it says a number; a wire may, too, and then nobody knows yet. */
function sideOf(given: unknown, otherwise: number): number {
  const side = Math.round(Number(given ?? Number.NaN));
  return side > 0 ? Math.min(side, LARGEST) : otherwise;
}
