import { describe, expect, test } from "vitest";
import {
  type Area,
  type Brush,
  copyArea,
  invert,
  isEmpty,
  type Mask,
  maskOfAlpha,
  newMask,
  stroke,
  tinted,
  transparent,
  union,
  whole,
} from "./mask";
import { fitted, onPicture, pinched, zoomed } from "./sight";
import { Strokes } from "./strokes";

const HARD: Brush = { erase: false, hardness: 1 };
const SOFT: Brush = { erase: false, hardness: 0 };
const ERASER: Brush = { erase: true, hardness: 1 };

function at(mask: Mask, x: number, y: number): number {
  return mask.data[y * mask.width + x] ?? -1;
}

function dot(mask: Mask, x: number, y: number, radius: number, brush = HARD): Area | null {
  const dab = { x, y, radius };
  return stroke(mask, dab, dab, brush);
}

describe("a brush", () => {
  test("paints all pixels inside its radius and none outside", () => {
    const mask = newMask(21, 21);
    dot(mask, 10.5, 10.5, 5);
    for (let y = 0; y < 21; y += 1) {
      for (let x = 0; x < 21; x += 1) {
        const distance = Math.hypot(x - 10, y - 10);
        if (distance <= 4.5) expect(at(mask, x, y)).toBe(255);
        if (distance >= 5.5) expect(at(mask, x, y)).toBe(0);
      }
    }
  });

  test("covers about the area of its circle", () => {
    const mask = newMask(101, 101);
    dot(mask, 50.5, 50.5, 30);
    const covered = mask.data.reduce((sum, value) => sum + value / 255, 0);
    expect(covered).toBeCloseTo(Math.PI * 30 * 30, -2);
  });

  test("falls off from the middle when it is soft", () => {
    const mask = newMask(41, 41);
    dot(mask, 20.5, 20.5, 15, SOFT);
    const along = Array.from({ length: 16 }, (_, step) => at(mask, 20 + step, 20));
    expect(along[0]).toBeGreaterThan(250);
    expect([...along].sort((a, b) => b - a)).toEqual(along);
    expect(along[8]).toBeGreaterThan(80);
    expect(along[8]).toBeLessThan(180);
  });

  test("does not build up where it goes twice", () => {
    const once = newMask(41, 41);
    dot(once, 20.5, 20.5, 15, SOFT);
    const twice = newMask(41, 41);
    dot(twice, 20.5, 20.5, 15, SOFT);
    dot(twice, 20.5, 20.5, 15, SOFT);
    expect(twice.data).toEqual(once.data);
  });

  test("leaves no gap between two far places", () => {
    const mask = newMask(200, 20);
    stroke(mask, { x: 10, y: 10, radius: 4 }, { x: 190, y: 10, radius: 4 }, HARD);
    for (let x = 10; x < 190; x += 1) expect(at(mask, x, 10)).toBe(255);
  });

  test("narrows with the pressure", () => {
    const mask = newMask(200, 60);
    stroke(mask, { x: 20, y: 30, radius: 20 }, { x: 180, y: 30, radius: 2 }, HARD);
    expect(at(mask, 30, 15)).toBe(255);
    expect(at(mask, 170, 15)).toBe(0);
    expect(at(mask, 170, 30)).toBe(255);
  });

  test("erases what was painted, and only there", () => {
    const mask = newMask(40, 40);
    mask.data.fill(255);
    dot(mask, 10, 10, 5, ERASER);
    expect(at(mask, 10, 10)).toBe(0);
    expect(at(mask, 30, 30)).toBe(255);
  });

  test("says what it touched, and nothing beside the picture", () => {
    const mask = newMask(100, 100);
    expect(dot(mask, 50, 50, 5)).toEqual({ x: 44, y: 44, width: 12, height: 12 });
    expect(dot(mask, 0, 0, 5)).toEqual({ x: 0, y: 0, width: 6, height: 6 });
    expect(dot(mask, -50, 50, 5)).toBeNull();
  });

  test("one pixel wide it still marks one", () => {
    const mask = newMask(9, 9);
    dot(mask, 4.5, 4.5, 0.5);
    expect(at(mask, 4, 4)).toBe(255);
    expect(mask.data.filter((value) => value > 127)).toHaveLength(1);
  });
});

test("a picture's transparency is its mask, and the file says the same again", () => {
  const pixels = new Uint8ClampedArray([9, 9, 9, 255, 9, 9, 9, 0, 9, 9, 9, 100]);
  const mask = maskOfAlpha(pixels, 3, 1);
  expect([...mask.data]).toEqual([0, 255, 155]);
  expect([...transparent(mask)].filter((_, index) => index % 4 === 3)).toEqual([255, 0, 100]);
});

test("inverting twice changes nothing", () => {
  const mask = newMask(8, 8);
  dot(mask, 4, 4, 3, SOFT);
  const before = mask.data.slice();
  invert(mask);
  expect(isEmpty(mask)).toBe(false);
  invert(mask);
  expect(mask.data).toEqual(before);
});

test("the overlay is as opaque as the mask is strong", () => {
  const mask = newMask(2, 1);
  mask.data.set([0, 128]);
  expect([...tinted(mask, whole(mask), [255, 45, 30])]).toEqual([255, 45, 30, 0, 255, 45, 30, 128]);
});

test("an area that holds two others", () => {
  const one = { x: 0, y: 5, width: 2, height: 2 };
  expect(union(one, { x: 4, y: 0, width: 1, height: 1 })).toEqual({ x: 0, y: 0, width: 5, height: 7 });
  expect(union(one, null)).toBe(one);
});

describe("strokes", () => {
  function draw(strokes: Strokes, mask: Mask, x: number): void {
    strokes.begin();
    strokes.touch(dot(mask, x, 20, 6, SOFT));
    strokes.touch(dot(mask, x + 5, 20, 6, SOFT));
    strokes.end();
  }

  test("undone to the first and done again give every state exactly", () => {
    const mask = newMask(100, 40);
    const strokes = new Strokes(mask);
    const states = [mask.data.slice()];
    for (const x of [10, 14, 50, 80]) {
      draw(strokes, mask, x);
      states.push(mask.data.slice());
    }
    strokes.all(invert);
    states.push(mask.data.slice());
    for (const state of states.slice(0, -1).reverse()) {
      strokes.undo();
      expect(mask.data).toEqual(state);
    }
    expect(strokes.canUndo).toBe(false);
    expect(strokes.undo()).toBeNull();
    for (const state of states.slice(1)) {
      strokes.redo();
      expect(mask.data).toEqual(state);
    }
    expect(strokes.canRedo).toBe(false);
  });

  test("a new stroke ends what could be done again", () => {
    const mask = newMask(100, 40);
    const strokes = new Strokes(mask);
    draw(strokes, mask, 10);
    strokes.undo();
    draw(strokes, mask, 50);
    expect(strokes.canRedo).toBe(false);
  });

  test("a stroke beside the picture is none", () => {
    const strokes = new Strokes(newMask(10, 10));
    strokes.begin();
    strokes.touch(null);
    strokes.end();
    expect(strokes.canUndo).toBe(false);
  });

  test("of very large steps only those that fit in memory are kept", () => {
    const mask = newMask(8192, 8192); // 64 MiB a step
    const strokes = new Strokes(mask);
    for (let count = 0; count < 4; count += 1) strokes.all(({ data }) => (data[0] = count + 1));
    let undone = 0;
    while (strokes.undo()) undone += 1;
    expect(undone).toBe(2);
    expect(copyArea(mask, { x: 0, y: 0, width: 1, height: 1 })[0]).toBe(2);
  });
});

describe("the sight", () => {
  const picture = { width: 400, height: 200 };
  const screen = { width: 848, height: 600 };

  test("shows all of the picture in the middle", () => {
    expect(fitted(picture, screen)).toEqual({ zoom: 2, x: 24, y: 100 });
  });

  test("zooming keeps the place under the pointer", () => {
    const sight = fitted(picture, screen);
    const pointer = { x: 200, y: 150 };
    const before = onPicture(sight, pointer);
    const after = onPicture(zoomed(sight, 3, pointer), pointer);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  test("two fingers keep the places under both, when they only spread", () => {
    const sight = fitted(picture, screen);
    const [one, other] = [
      { x: 100, y: 100 },
      { x: 300, y: 100 },
    ];
    const spread = pinched(
      sight,
      [one, other],
      [
        { x: 0, y: 100 },
        { x: 400, y: 100 },
      ],
    );
    expect(spread.zoom).toBeCloseTo(sight.zoom * 2);
    expect(onPicture(spread, { x: 0, y: 100 }).x).toBeCloseTo(onPicture(sight, one).x);
    expect(onPicture(spread, { x: 400, y: 100 }).x).toBeCloseTo(onPicture(sight, other).x);
  });

  test("zooming has an end on both sides", () => {
    const sight = fitted(picture, screen);
    expect(zoomed(sight, 1e9, { x: 0, y: 0 }).zoom).toBe(32);
    expect(zoomed(sight, 1e-9, { x: 0, y: 0 }).zoom).toBe(0.05);
  });
});
