import { expect, test } from "vitest";
import {
  between,
  boxAt,
  freshBox,
  HANDLES,
  hueOf,
  LEAST,
  moved,
  type Rect,
  readBoxes,
  resized,
  withFigure,
  writeBoxes,
} from "./geometry";

const BOX: Rect = { x: 0.2, y: 0.3, width: 0.4, height: 0.2 };

function inside({ x, y, width, height }: Rect): boolean {
  return x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1 + 1e-9 && y + height <= 1 + 1e-9;
}

test("a box may be drawn from any corner, and ends at the picture's edge", () => {
  const wanted = { x: 0.1, y: 0.5, width: 0.3, height: 0.5 };
  for (const drawn of [
    between({ x: 0.1, y: 0.5 }, { x: 0.4, y: 1.7 }),
    between({ x: 0.4, y: 1 }, { x: 0.1, y: 0.5 }),
  ]) {
    expect(drawn.x).toBeCloseTo(wanted.x);
    expect(drawn.y).toBeCloseTo(wanted.y);
    expect(drawn.width).toBeCloseTo(wanted.width);
    expect(drawn.height).toBeCloseTo(wanted.height);
  }
});

test("a box stops at the edge and keeps its size", () => {
  const box = moved(BOX, { x: 5, y: -5 });
  expect(box).toEqual({ ...BOX, x: 0.6, y: 0 });
});

test("whatever a handle is dragged to, the box stays within the picture and keeps an extent", () => {
  const places = [-2, 0, 0.2, 0.45, 0.6, 1, 3];
  for (const handle of HANDLES) {
    for (const x of places) for (const y of places) expect(inside(resized(BOX, handle, { x, y }))).toBe(true);
  }
});

test("the side opposite to a handle stays", () => {
  const box = resized(BOX, { across: -1, down: 1 }, { x: 0.1, y: 0.9 });
  expect(box.x + box.width).toBeCloseTo(0.6);
  expect(box.y).toBe(0.3);
  expect(box.y + box.height).toBeCloseTo(0.9);
  expect(resized(BOX, { across: 0, down: -1 }, { x: 0.9, y: 0.4 }).width).toBe(BOX.width);
});

test("a box cannot be turned inside out", () => {
  expect(resized(BOX, { across: -1, down: 0 }, { x: 0.9, y: 0 }).width).toBeCloseTo(LEAST);
});

test("a figure that is typed in goes as far as the picture does", () => {
  expect(withFigure(BOX, "x", 0.9).x).toBeCloseTo(0.6);
  expect(withFigure(BOX, "width", 0.95).width).toBeCloseTo(0.8);
  expect(withFigure(BOX, "height", 0).height).toBe(LEAST);
  expect(withFigure(BOX, "y", -1).y).toBe(0);
});

test("of two boxes at a place the smaller one is taken", () => {
  const boxes = [BOX, { x: 0.25, y: 0.35, width: 0.1, height: 0.1 }, { x: 0, y: 0, width: 1, height: 1 }];
  expect(boxAt(boxes, { x: 0.3, y: 0.4 })).toBe(1);
  expect(boxAt(boxes, { x: 0.5, y: 0.4 })).toBe(0);
  expect(boxAt(boxes, { x: 0.9, y: 0.9 })).toBe(2);
  expect(boxAt([BOX], { x: 0.9, y: 0.9 })).toBe(-1);
});

test("new boxes do not lie on each other", () => {
  const boxes: Rect[] = [];
  for (let count = 0; count < 6; count += 1) boxes.push(freshBox(boxes));
  expect(new Set(boxes.map(({ x }) => x)).size).toBe(6);
  expect(boxes.every(inside)).toBe(true);
});

test("boxes come back from the document as they went", () => {
  const boxes = [{ ...BOX, label: "red apple" }];
  expect(writeBoxes(boxes)).toEqual([{ label: "red apple", box: [0.2, 0.3, 0.4, 0.2] }]);
  expect(readBoxes(writeBoxes(boxes))[0]?.label).toBe("red apple");
  expect(writeBoxes(readBoxes(writeBoxes(boxes)))).toEqual(writeBoxes(boxes));
});

test("rounding makes no box stick out", () => {
  for (let third = 1; third < 200; third += 1) {
    const x = third / 300;
    const written = writeBoxes([{ label: "a", x, y: x, width: 1 - x, height: 1 - x }]);
    const [box] = readBoxes(written);
    const raw = (written as { box: number[] }[])[0]?.box as [number, number, number, number];
    expect(box && inside(box)).toBe(true);
    expect(raw[0] + raw[2]).toBeLessThanOrEqual(1 + 1e-6);
  }
});

test.each([undefined, null, "cat", 3, [1], [{ label: "x" }], [{ box: ["a", 0, 1, 1] }], [[0, 0, 1, 1]]])(
  "what is no list of boxes has none: %j",
  (value) => expect(readBoxes(value as never)).toEqual([]),
);

test("a label has the same colour everywhere", () => {
  expect(hueOf("Red apple ")).toBe(hueOf("red apple"));
  expect(new Set(["cat", "dog", "bird", "fish", "tree"].map((label) => hueOf(label))).size).toBeGreaterThan(1);
});
