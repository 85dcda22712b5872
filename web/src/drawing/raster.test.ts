import { expect, test } from "vitest";
import type { CanvasSchema } from "../document";
import { type Colour, newMask, stroke } from "../mask/mask";
import { Strokes } from "../mask/strokes";
import {
  BLACK,
  clear,
  colourAt,
  fill,
  lay,
  nearest,
  newRaster,
  paperOf,
  type Raster,
  readCode,
  snap,
  stretched,
  WHITE,
  writeCode,
} from "./raster";

const RED: Colour = [214, 40, 48];
const BLUE: Colour = [40, 96, 210];
const CANVAS: CanvasSchema = { width: 8, height: 8, palette: null, transparent: false, mask: false };

function draw(
  raster: Raster,
  colour: Colour | null,
  options: { opacity?: number; hard?: boolean; times?: number } = {},
) {
  const before = { ...raster, data: raster.data.slice() };
  const coverage = newMask(raster.width, raster.height);
  const touch = { before, coverage, colour, opacity: options.opacity ?? 1, hard: options.hard ?? false };
  for (let time = 0; time < (options.times ?? 1); time += 1) {
    const dab = { x: 4, y: 4, radius: 2 };
    const area = stroke(coverage, dab, dab, { erase: false, hardness: options.hard ? 1 : 0.5 });
    if (area) lay(raster, area, touch);
  }
}

function colours(raster: Raster): Set<string> {
  const found = new Set<string>();
  for (let index = 0; index < raster.data.length; index += 4) found.add(raster.data.slice(index, index + 4).join());
  return found;
}

test("paper is white, nothing, black for a mask, and the first colour of a palette", () => {
  expect(paperOf(CANVAS)).toEqual(WHITE);
  expect(paperOf({ ...CANVAS, transparent: true })).toBeNull();
  expect(paperOf({ ...CANVAS, mask: true })).toEqual(BLACK);
  expect(paperOf({ ...CANVAS, palette: [{ name: "sky", colour: "#2860d2" }] })).toEqual(BLUE);
});

test("a hard brush leaves no colour but its own and the paper's", () => {
  const raster = newRaster(9, 9, BLUE);
  draw(raster, RED, { hard: true });
  expect(colours(raster)).toEqual(new Set([[...RED, 255].join(), [...BLUE, 255].join()]));
  expect(colourAt(raster, 4, 4)).toEqual(RED);
});

test("going over a place twice in one stroke makes it no stronger", () => {
  const [once, thrice] = [newRaster(9, 9, WHITE), newRaster(9, 9, WHITE)];
  draw(once, RED, { opacity: 0.5 });
  draw(thrice, RED, { opacity: 0.5, times: 3 });
  expect(thrice.data).toEqual(once.data);
  expect(colourAt(once, 4, 4)?.[1]).toBe(Math.round((40 + 255) / 2));
});

test("a colour on nothing stays itself, however thin", () => {
  const raster = newRaster(9, 9, null);
  draw(raster, RED, { opacity: 0.5 });
  const at = (4 * 9 + 4) * 4;
  expect([...raster.data.slice(at, at + 4)]).toEqual([...RED, 128]);
});

test("the eraser leaves nothing on a transparent canvas", () => {
  const raster = newRaster(9, 9, null);
  draw(raster, RED);
  draw(raster, null);
  expect(colourAt(raster, 4, 4)).toBeNull();
});

test("a bucket fills what is enclosed, and nothing beyond", () => {
  const raster = newRaster(6, 5, WHITE);
  for (let y = 0; y < 5; y += 1) raster.data.set([...BLACK, 255], (y * 6 + 2) * 4);
  expect(fill(raster, 4, 2, RED)).toEqual({ x: 3, y: 0, width: 3, height: 5 });
  expect(colourAt(raster, 5, 4)).toEqual(RED);
  expect(colourAt(raster, 0, 0)).toEqual(WHITE);
  expect(colourAt(raster, 2, 2)).toEqual(BLACK);
});

test("a bucket does nothing where the colour is there already, or outside", () => {
  const raster = newRaster(3, 3, RED);
  expect(fill(raster, 1, 1, RED)).toBeNull();
  expect(fill(raster, -1, 1, BLUE)).toBeNull();
  expect(fill(raster, 1, 3, BLUE)).toBeNull();
});

test("a bucket with tolerance fills soft edges and ends, even with a colour like what it fills", () => {
  const raster = newRaster(4, 1, [100, 100, 100]);
  raster.data.set([110, 100, 100, 255], 4);
  expect(fill(raster, 0, 0, [101, 100, 100], 16)).toEqual({ x: 0, y: 0, width: 4, height: 1 });
  expect(colours(raster).size).toBe(1);
});

test("what is drawn is undone and done again", () => {
  const raster = newRaster(9, 9, WHITE);
  const strokes = new Strokes(raster);
  strokes.begin();
  strokes.touch(fill(raster, 0, 0, RED));
  strokes.end();
  strokes.all((all) => clear(all, null));
  strokes.undo();
  expect(colourAt(raster, 8, 8)).toEqual(RED);
  strokes.undo();
  expect(colourAt(raster, 8, 8)).toEqual(WHITE);
  strokes.redo();
  expect(colourAt(raster, 0, 8)).toEqual(RED);
});

test("a drawing of another size is stretched without new colours", () => {
  const raster = newRaster(2, 2, RED);
  raster.data.set([...BLUE, 255], 4);
  const large = stretched(raster, 5, 4);
  expect([large.width, large.height]).toEqual([5, 4]);
  expect(colours(large).size).toBe(2);
  expect(colourAt(large, 4, 0)).toEqual(BLUE);
  expect(colourAt(large, 4, 3)).toEqual(RED);
});

test("a picture from elsewhere gets the palette's colours", () => {
  const raster = newRaster(2, 1, [200, 50, 60]);
  raster.data.set([30, 90, 200, 120], 4);
  snap(raster, [WHITE, RED, BLUE]);
  expect([colourAt(raster, 0, 0), colourAt(raster, 1, 0)]).toEqual([RED, BLUE]);
  expect(nearest([0, 0, 0], [WHITE])).toEqual(WHITE);
});

test("colours are read and written as codes", () => {
  expect(readCode("#d62830")).toEqual(RED);
  expect(writeCode(RED)).toBe("#d62830");
  expect(readCode("red")).toBeNull();
});
