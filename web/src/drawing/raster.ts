/** A picture that is drawn on: RGBA, and what brushes and buckets do to it. Pure: no page, no canvas. */

import type { CanvasSchema } from "../document";
import { type Area, type Colour, type Mask, type Plane, union } from "../mask/mask";

/** Four bytes a pixel. */
export type Raster = Plane;

export const WHITE: Colour = [255, 255, 255];
export const BLACK: Colour = [0, 0, 0];

/** What a new canvas is, and what the eraser leaves: paper, or null for nothing at all. */
export function paperOf(canvas: CanvasSchema): Colour | null {
  if (canvas.mask) return BLACK;
  if (canvas.palette) return readCode(canvas.palette[0]?.colour ?? "") ?? WHITE;
  return canvas.transparent ? null : WHITE;
}

export function newRaster(width: number, height: number, paper: Colour | null): Raster {
  const raster = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  clear(raster, paper);
  return raster;
}

export function clear(raster: Raster, paper: Colour | null): void {
  if (!paper) raster.data.fill(0);
  else for (let index = 0; index < raster.data.length; index += 4) raster.data.set([...paper, 255], index);
}

/** Where a brush went in one stroke, and how what it does looks. */
export interface Touch {
  /** The picture before the stroke. */
  before: Raster;
  /** How strongly the stroke has touched each pixel so far. */
  coverage: Mask;
  /** Null erases to nothing. */
  colour: Colour | null;
  /** 0 to 1. */
  opacity: number;
  /** Either all of the colour or none of it: no colour in between comes about. */
  hard: boolean;
}

/** Lay a stroke over the picture, within an area. Going over a place twice in one stroke makes it no stronger. */
export function lay(raster: Raster, area: Area, { before, coverage, colour, opacity, hard }: Touch): void {
  for (let y = area.y; y < area.y + area.height; y += 1) {
    for (let x = area.x; x < area.x + area.width; x += 1) {
      const pixel = y * raster.width + x;
      const strength = (coverage.data[pixel] ?? 0) / 255;
      const share = hard ? Number(strength >= 0.5) : strength * opacity;
      mix(raster.data, before.data, pixel * 4, colour, share);
    }
  }
}

/** One pixel: `colour` over what was there, as colours with alpha are laid over each other. */
function mix(data: Uint8ClampedArray, was: Uint8ClampedArray, at: number, colour: Colour | null, share: number): void {
  const alpha = (was[at + 3] ?? 0) / 255;
  if (!colour) {
    for (let part = 0; part < 3; part += 1) data[at + part] = was[at + part] ?? 0;
    data[at + 3] = 255 * alpha * (1 - share);
    return;
  }
  const all = share + alpha * (1 - share);
  for (let part = 0; part < 3; part += 1) {
    const below = was[at + part] ?? 0;
    data[at + part] = all === 0 ? below : ((colour[part] ?? 0) * share + below * alpha * (1 - share)) / all;
  }
  data[at + 3] = 255 * all;
}

/**
 * Fill the region around a pixel whose colours are like the pixel's.
 *
 * @param tolerance how far each of red, green, blue and alpha may be off, 0 to 255.
 * @returns what was filled; null when the place lies outside, or has the colour already.
 */
export function fill(raster: Raster, x: number, y: number, colour: Colour | null, tolerance = 0): Area | null {
  const { width, height, data } = raster;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < 0 || top < 0 || left >= width || top >= height) return null;
  const start = (top * width + left) * 4;
  const wanted = data.slice(start, start + 4);
  const paint = colour ? [...colour, 255] : [0, 0, 0, 0];
  if (paint.every((part, index) => part === wanted[index])) return null;
  const like = (pixel: number) =>
    [0, 1, 2, 3].every((part) => Math.abs((data[pixel * 4 + part] ?? 0) - (wanted[part] ?? 0)) <= tolerance);
  const seen = new Uint8Array(width * height);
  const waiting = [top * width + left];
  seen[top * width + left] = 1;
  let area: Area | null = null;
  // Found first, painted after: with a tolerance the paint itself may be like what is to be filled.
  const found: number[] = [];
  for (let pixel = waiting.pop(); pixel !== undefined; pixel = waiting.pop()) {
    found.push(pixel);
    const column = pixel % width;
    const row = (pixel - column) / width;
    area = union(area, { x: column, y: row, width: 1, height: 1 });
    for (const next of [
      column > 0 ? pixel - 1 : -1,
      column < width - 1 ? pixel + 1 : -1,
      pixel - width,
      pixel + width,
    ]) {
      if (next < 0 || next >= seen.length || seen[next] || !like(next)) continue;
      seen[next] = 1;
      waiting.push(next);
    }
  }
  for (const pixel of found) data.set(paint, pixel * 4);
  return area;
}

/** The colour at a place; null outside, and where there is nothing. */
export function colourAt(raster: Raster, x: number, y: number): Colour | null {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < 0 || top < 0 || left >= raster.width || top >= raster.height) return null;
  const start = (top * raster.width + left) * 4;
  const [red = 0, green = 0, blue = 0, alpha = 0] = raster.data.subarray(start, start + 4);
  return alpha === 0 ? null : [red, green, blue];
}

/** The picture in another size, without new colours; what was drawn stays in its place. */
export function stretched(raster: Raster, width: number, height: number): Raster {
  const made = newRaster(width, height, null);
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(((y + 0.5) * raster.height) / height);
    for (let x = 0; x < width; x += 1) {
      const from = (row * raster.width + Math.floor(((x + 0.5) * raster.width) / width)) * 4;
      made.data.set(raster.data.subarray(from, from + 4), (y * width + x) * 4);
    }
  }
  return made;
}

/** Make every pixel the nearest colour of a palette, as the server reads them: a picture from elsewhere has others. */
export function snap(raster: Raster, palette: readonly Colour[]): void {
  const { data } = raster;
  const known = new Map<number, Colour>();
  for (let index = 0; index < data.length; index += 4) {
    const code = ((data[index] ?? 0) << 16) | ((data[index + 1] ?? 0) << 8) | (data[index + 2] ?? 0);
    let colour = known.get(code);
    if (!colour) {
      colour = nearest([code >> 16, (code >> 8) & 255, code & 255], palette);
      known.set(code, colour);
    }
    data.set([...colour, 255], index);
  }
}

export function nearest(colour: Colour, palette: readonly Colour[]): Colour {
  const distance = (one: Colour) => one.reduce((sum, part, index) => sum + (part - (colour[index] ?? 0)) ** 2, 0);
  return palette.reduce((best, each) => (distance(each) < distance(best) ? each : best), palette[0] ?? BLACK);
}

/** `#rrggbb` as a colour. */
export function readCode(code: string): Colour | null {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(code);
  if (!found) return null;
  const [, red = "", green = "", blue = ""] = found;
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}

export function writeCode(colour: Colour): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
