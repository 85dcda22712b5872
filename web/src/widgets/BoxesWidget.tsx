/** Boxes on a picture: how they lie, and a button that opens their editor. */

import { SquareDashed } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { BoxMarks } from "../boxes/BoxMarks";
import { readBoxes, writeBoxes } from "../boxes/geometry";
import { Button, Spinner } from "../theme";
import { Frame } from "./Frame";
import { useFiles } from "./files";
import { readable, shownValue, type WidgetProps } from "./types";
import "../boxes/boxes.css";

const BoxesEditor = lazy(() => import("../boxes/BoxesEditor"));

/** The most that the server's own nodes take. */
const MOST = 92;

export function BoxesWidget(props: WidgetProps) {
  const { schema, onChange, disabled, sibling } = props;
  const files = useFiles();
  const [editing, setEditing] = useState(false);
  /** What the checkpoint knows. */
  const [known, setKnown] = useState<readonly string[]>([]);
  const boxes = readBoxes(shownValue(props));
  const label = props.label ?? readable(schema.name);
  const [width, height] = [Number(sibling?.("width") ?? 1), Number(sibling?.("height") ?? 1)];
  const ratio = width > 0 && height > 0 ? width / height : 1;
  const deed = boxes.length > 0 ? "Edit boxes" : "Draw boxes";
  const count = `${boxes.length === 1 ? "1 box" : `${boxes.length || "no"} boxes`}`;
  const open = () => {
    setEditing(true);
    const checkpoint = props.checkpoint?.();
    if (schema.options === null && checkpoint) void files.server.classes(checkpoint).then(setKnown);
  };
  return (
    <Frame of={props} kind="drawing" stacked>
      {(control) => (
        <div className="drawn">
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button below does the same */}
          {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the mouse */}
          <div className="drawn-frame" onClick={disabled ? undefined : open}>
            {boxes.length > 0 ? (
              <div className="drawn-sheet" style={{ "--ratio": ratio } as React.CSSProperties}>
                <BoxMarks boxes={boxes} />
              </div>
            ) : (
              <span className="input-picture-hint">
                <SquareDashed aria-hidden="true" />
                Say what goes where
              </span>
            )}
          </div>
          <Button
            {...control}
            size="small"
            icon={<SquareDashed />}
            aria-label={`${deed}: ${label}, ${count}`}
            onClick={open}
          >
            {deed}
          </Button>
          {editing && (
            <Suspense fallback={<Spinner />}>
              <BoxesEditor
                title={label.charAt(0).toUpperCase() + label.slice(1)}
                boxes={boxes}
                most={schema.maximum ?? MOST}
                offered={schema.options ?? known}
                ratio={ratio}
                onClose={() => setEditing(false)}
                onSave={(made) => {
                  onChange(writeBoxes(made), true);
                  setEditing(false);
                }}
              />
            </Suspense>
          )}
        </div>
      )}
    </Frame>
  );
}
