/**
 * The picture with its boxes: drag on an empty place draws one, drag on a box moves it, its handles size it. Fingers,
 * pens and mice alike. Each box is a button: the keyboard reaches it and moves it with arrows.
 */

import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";
import { classes } from "../theme";
import { hueClass, placeOf } from "./BoxMarks";
import {
  between,
  boxAt,
  HANDLES,
  type Handle,
  type LabelledBox,
  LEAST,
  moved,
  type Point,
  type Rect,
  resized,
} from "./geometry";

interface BoxStageProps {
  boxes: readonly LabelledBox[];
  /** -1: none. */
  chosen: number;
  /** Width by height. */
  ratio: number;
  /** No more boxes than there are. */
  full: boolean;
  /** What lies beneath. */
  children?: ReactNode;
  onChoose(index: number): void;
  onDrawn(box: Rect): void;
  onChange(index: number, box: LabelledBox): void;
  onKeyDown(event: KeyboardEvent): void;
}

interface Drag {
  pointer: number;
  from: Point;
  /** Of the box that is dragged; -1 for a new one. */
  index: number;
  handle: Handle | null;
  /** As it is now. */
  box: LabelledBox;
}

/** A press that moves less than this, in the screen's pixels, is no drag. */
const STILL = 4;

export function BoxStage(props: BoxStageProps) {
  const { boxes, chosen, ratio, full, children, onChoose, onDrawn, onChange, onKeyDown } = props;
  const picture = useRef<HTMLDivElement>(null);
  const pressed = useRef<{ x: number; y: number } | null>(null);
  const [drag, setDrag] = useState<Drag | null>(null);

  const place = (event: { clientX: number; clientY: number }): Point => {
    const frame = picture.current?.getBoundingClientRect();
    if (!frame) return { x: 0, y: 0 };
    return { x: (event.clientX - frame.left) / frame.width, y: (event.clientY - frame.top) / frame.height };
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (drag || event.button !== 0) return;
    const at = place(event);
    const handle = HANDLES[Number((event.target as HTMLElement).dataset.handle ?? Number.NaN)] ?? null;
    // A box that is chosen already stays so under another one.
    const own = boxes[chosen];
    const index = handle || (own && boxAt([own], at) === 0) ? chosen : boxAt(boxes, at);
    const taken = boxes[index];
    if (!taken && full) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    pressed.current = { x: event.clientX, y: event.clientY };
    if (index !== chosen) onChoose(index);
    event.currentTarget.querySelectorAll<HTMLElement>(".box-live")[index]?.focus({ preventScroll: true });
    setDrag({ pointer: event.pointerId, from: at, index, handle, box: taken ?? { ...between(at, at), label: "" } });
  };
  const onPointerMove = (event: PointerEvent) => {
    if (drag?.pointer !== event.pointerId) return;
    const start = pressed.current;
    if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) < STILL) return;
    pressed.current = null;
    const at = place(event);
    const original = boxes[drag.index];
    if (!original) setDrag({ ...drag, box: { ...between(drag.from, at), label: "" } });
    else if (drag.handle) setDrag({ ...drag, box: resized(original, drag.handle, at) });
    else setDrag({ ...drag, box: moved(original, { x: at.x - drag.from.x, y: at.y - drag.from.y }) });
  };
  const onPointerUp = (event: PointerEvent) => {
    if (drag?.pointer !== event.pointerId) return;
    setDrag(null);
    const still = pressed.current !== null;
    pressed.current = null;
    if (event.type === "pointercancel" || still) return;
    if (drag.index >= 0) onChange(drag.index, drag.box);
    else if (drag.box.width >= LEAST && drag.box.height >= LEAST) onDrawn(drag.box);
  };

  const shown = boxes.map((box, index) => (drag && index === drag.index ? drag.box : box));
  return (
    <div className="boxes-stage">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: drawing is for pointers; the list adds and sizes by keys */}
      <div
        ref={picture}
        className="boxes-picture"
        style={{ "--ratio": ratio } as React.CSSProperties}
        // The browser would give the focus to the box on top, which is not always the one that is meant.
        onMouseDown={(event) => event.preventDefault()}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
      >
        {children}
        {boxes.length === 0 && !drag && <p className="boxes-hint">Drag here to draw a box</p>}
        {shown.map((box, index) => (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: a box is known by its place in the list
            key={index}
            type="button"
            className={classes("box-mark box-live", hueClass(box.label), index === chosen && "box-chosen")}
            style={placeOf(box)}
            aria-label={`Box ${index + 1}: ${box.label || "no label yet"}`}
            aria-pressed={index === chosen}
            onFocus={() => index !== chosen && onChoose(index)}
            onKeyDown={onKeyDown}
          >
            <span className="box-tag">{box.label || "?"}</span>
          </button>
        ))}
        {drag && drag.index < 0 && <span className="box-mark box-drawn" style={placeOf(drag.box)} />}
        {shown[chosen] && (
          <span
            className={classes("box-handles", hueClass(shown[chosen].label))}
            style={placeOf(shown[chosen])}
            aria-hidden="true"
          >
            {HANDLES.map(({ across, down }, index) => (
              <span
                key={`${across} ${down}`}
                data-handle={index}
                className="box-handle"
                style={{
                  left: `${(across + 1) * 50}%`,
                  top: `${(down + 1) * 50}%`,
                  cursor:
                    across === 0
                      ? "ns-resize"
                      : down === 0
                        ? "ew-resize"
                        : across === down
                          ? "nwse-resize"
                          : "nesw-resize",
                }}
              />
            ))}
          </span>
        )}
      </div>
    </div>
  );
}
