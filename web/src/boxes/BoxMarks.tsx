/** Boxes where they lie on a picture, for looking at: in a node, in a form, under what is dragged. */

import type { CSSProperties } from "react";
import { classes } from "../theme";
import { hueOf, type LabelledBox, type Rect } from "./geometry";

/** Fills its parent, which has the picture's shape. */
export function BoxMarks({ boxes }: { boxes: readonly LabelledBox[] }) {
  return boxes.map((box, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: two boxes may be alike in all things but their place in the list
    <span key={index} className={classes("box-mark", hueClass(box.label))} style={placeOf(box)}>
      <span className="box-tag">{box.label || "?"}</span>
    </span>
  ));
}

export function hueClass(label: string): string {
  return `box-hue-${hueOf(label)}`;
}

export function placeOf({ x, y, width, height }: Rect): CSSProperties {
  return { left: percent(x), top: percent(y), width: percent(width), height: percent(height) };
}

function percent(share: number): string {
  return `${share * 100}%`;
}
