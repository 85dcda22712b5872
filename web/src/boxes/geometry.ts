/**
 * Boxes on a picture, in shares of it: 0 to 1, y down. Pure; boxes are values.
 *
 * Whatever is done to a box, it stays within the picture and keeps an extent, so that the server takes it.
 */

import type { JsonValue } from "../document";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface LabelledBox extends Rect {
  label: string;
}

export interface Point {
  x: number;
  y: number;
}

/** Which side a handle drags: -1 left or upper, 0 none, 1 right or lower. */
export interface Handle {
  across: -1 | 0 | 1;
  down: -1 | 0 | 1;
}

export const HANDLES: readonly Handle[] = [
  { across: -1, down: -1 },
  { across: 0, down: -1 },
  { across: 1, down: -1 },
  { across: 1, down: 0 },
  { across: 1, down: 1 },
  { across: 0, down: 1 },
  { across: -1, down: 1 },
  { across: -1, down: 0 },
];

/** Narrower than a hundredth nobody can take hold of. */
export const LEAST = 0.01;

/** The box between two corners, in any order. */
export function between(one: Point, other: Point): Rect {
  const [left, right] = sorted(limited(one.x, 0, 1), limited(other.x, 0, 1));
  const [top, bottom] = sorted(limited(one.y, 0, 1), limited(other.y, 0, 1));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Moved as far as the picture's edges allow; its size stays. */
export function moved<R extends Rect>(box: R, by: Point): R {
  const x = limited(box.x + by.x, 0, 1 - box.width);
  const y = limited(box.y + by.y, 0, 1 - box.height);
  return { ...box, x, y };
}

/** One corner or side dragged to a place; the opposite one stays, and the box does not turn inside out. */
export function resized<R extends Rect>(box: R, { across, down }: Handle, to: Point): R {
  const [x, width] = dragged(box.x, box.width, across, to.x);
  const [y, height] = dragged(box.y, box.height, down, to.y);
  return { ...box, x, y, width, height };
}

/** One figure typed in. A place moves the box, a size changes it as far as the picture goes. */
export function withFigure<R extends Rect>(box: R, name: keyof Rect, value: number): R {
  if (name === "x") return moved(box, { x: value - box.x, y: 0 });
  if (name === "y") return moved(box, { x: 0, y: value - box.y });
  const most = 1 - (name === "width" ? box.x : box.y);
  return { ...box, [name]: limited(value, Math.min(LEAST, most), most) };
}

/** The box to take hold of at a place: the smallest there, so that one inside another can be had. -1: none. */
export function boxAt(boxes: readonly Rect[], { x, y }: Point): number {
  let found = -1;
  for (const [index, box] of boxes.entries()) {
    const inside = x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
    const best = boxes[found];
    if (inside && (!best || area(box) <= area(best))) found = index;
  }
  return found;
}

/** Room for one more box, in the middle of the picture, a little off the one that lies there. */
export function freshBox(boxes: readonly Rect[]): Rect {
  const side = 0.4;
  let place = (1 - side) / 2;
  const taken = (at: number) => boxes.some((box) => Math.abs(box.x - at) < 0.02 && Math.abs(box.y - at) < 0.02);
  for (let tries = 0; taken(place) && tries < 12; tries += 1) place = (place + 0.05) % (1 - side);
  return { x: rounded(place), y: rounded(place), width: side, height: side };
}

/** What the document says, as far as it is boxes: a value from a file may be anything. */
export function readBoxes(value: JsonValue | undefined): LabelledBox[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each) => {
    if (each === null || typeof each !== "object" || Array.isArray(each)) return [];
    const place = Array.isArray(each.box) ? each.box.map(Number) : [];
    const [x = Number.NaN, y = Number.NaN, width = Number.NaN, height = Number.NaN] = place;
    if (![x, y, width, height].every(Number.isFinite)) return [];
    const within = between({ x, y }, { x: x + width, y: y + height });
    return [{ ...within, label: typeof each.label === "string" ? each.label : "" }];
  });
}

/** For the document: four decimals are finer than any picture's pixels, and stay readable. */
export function writeBoxes(boxes: readonly LabelledBox[]): JsonValue {
  return boxes.map(({ label, ...box }) => {
    const [x, y] = [rounded(box.x), rounded(box.y)];
    return {
      label: label.trim(),
      box: [x, y, rounded(Math.min(box.width, 1 - x)), rounded(Math.min(box.height, 1 - y))],
    };
  });
}

/** The colour that boxes of a label have, everywhere: one of as many as the theme's sheet has. */
export function hueOf(label: string, hues = 8): number {
  let sum = 0;
  for (const letter of label.trim().toLowerCase()) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % hues;
}

export function rounded(share: number): number {
  return Math.round(share * 10_000) / 10_000;
}

function dragged(start: number, length: number, side: -1 | 0 | 1, to: number): [start: number, length: number] {
  const end = start + length;
  if (side < 0) {
    const moved = limited(to, 0, end - LEAST);
    return [moved, end - moved];
  }
  return side > 0 ? [start, limited(to, start + LEAST, 1) - start] : [start, length];
}

function area(box: Rect): number {
  return box.width * box.height;
}

function limited(value: number, least: number, most: number): number {
  return Math.max(Math.min(least, most), Math.min(most, value));
}

function sorted(one: number, other: number): [number, number] {
  return one < other ? [one, other] : [other, one];
}
