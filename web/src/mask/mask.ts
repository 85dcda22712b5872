/**
 * A mask and how a brush changes it. Pure: no page, no canvas.
 *
 * 0 keeps a pixel, 255 repaints it. A brush never builds up: each pixel takes the strongest touch of a stroke, so that
 * going over a place twice does not harden its soft edge.
 */

export interface Mask extends Plane {
  /** One byte a pixel, row after row. */
  data: Uint8ClampedArray<ArrayBuffer>;
}

/** Pixels of any depth: one byte for each of a mask, four for each of a picture. */
export interface Plane {
  width: number;
  height: number;
  data: Uint8ClampedArray<ArrayBuffer>;
}

/** Pixels from (x, y), `width` by `height` of them. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a brush is, and its radius there in pixels (pressure makes it smaller). */
export interface Dab {
  x: number;
  y: number;
  radius: number;
}

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

export interface Brush {
  erase: boolean;
  /** 0: soft from the middle on; 1: a sharp edge. */
  hardness: number;
}

export function newMask(width: number, height: number): Mask {
  return { width, height, data: new Uint8ClampedArray(width * height) };
}

/** The mask that a picture's transparency says: 1 - alpha, as LoadImage reads it. @param pixels RGBA */
export function maskOfAlpha(pixels: Uint8ClampedArray, width: number, height: number): Mask {
  const mask = newMask(width, height);
  for (let index = 0; index < mask.data.length; index += 1) mask.data[index] = 255 - (pixels[index * 4 + 3] ?? 255);
  return mask;
}

export function isEmpty(mask: Mask): boolean {
  return mask.data.every((value) => value === 0);
}

/** Draw the brush from one place to the next, in place. Returns what was touched; null when that lies outside. */
export function stroke(mask: Mask, from: Dab, to: Dab, { erase, hardness }: Brush): Area | null {
  const area = touched(mask, from, to);
  if (!area) return null;
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length2 = dx * dx + dy * dy;
  for (let y = area.y; y < area.y + area.height; y += 1) {
    for (let x = area.x; x < area.x + area.width; x += 1) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const along = length2 === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const distance = Math.hypot(px - along * dx, py - along * dy);
      const strength = 255 * strengthAt(distance, from.radius + along * (to.radius - from.radius), hardness);
      const index = y * mask.width + x;
      const now = mask.data[index] ?? 0;
      mask.data[index] = erase ? Math.min(now, 255 - strength) : Math.max(now, strength);
    }
  }
  return area;
}

/** 1 in the brush's core, 0 outside; between them it falls smoothly, over one pixel at least. */
function strengthAt(distance: number, radius: number, hardness: number): number {
  const core = Math.min(radius * hardness, radius - 0.5);
  const share = Math.min(1, Math.max(0, (radius + 0.5 - distance) / (radius + 0.5 - core)));
  return share * share * (3 - 2 * share);
}

function touched(mask: Mask, from: Dab, to: Dab): Area | null {
  const reach = Math.max(from.radius, to.radius) + 1;
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach));
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach));
  const right = Math.min(mask.width, Math.ceil(Math.max(from.x, to.x) + reach));
  const bottom = Math.min(mask.height, Math.ceil(Math.max(from.y, to.y) + reach));
  return right > left && bottom > top ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

export function whole({ width, height }: Plane): Area {
  return { x: 0, y: 0, width, height };
}

export function invert(mask: Mask): void {
  for (let index = 0; index < mask.data.length; index += 1) mask.data[index] = 255 - (mask.data[index] ?? 0);
}

export function union(one: Area | null, other: Area | null): Area | null {
  if (!one || !other) return one ?? other;
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  const right = Math.max(one.x + one.width, other.x + other.width);
  const bottom = Math.max(one.y + one.height, other.y + other.height);
  return { x, y, width: right - x, height: bottom - y };
}

/** The pixels of an area, copied. */
export function copyArea(plane: Plane, { x, y, width, height }: Area): Uint8ClampedArray<ArrayBuffer> {
  const depth = depthOf(plane);
  const copy = new Uint8ClampedArray(width * height * depth);
  for (let row = 0; row < height; row += 1) {
    const start = ((y + row) * plane.width + x) * depth;
    copy.set(plane.data.subarray(start, start + width * depth), row * width * depth);
  }
  return copy;
}

export function pasteArea(plane: Plane, { x, y, width, height }: Area, pixels: Uint8ClampedArray): void {
  const depth = depthOf(plane);
  for (let row = 0; row < height; row += 1) {
    const line = pixels.subarray(row * width * depth, (row + 1) * width * depth);
    plane.data.set(line, ((y + row) * plane.width + x) * depth);
  }
}

/** Bytes for each pixel. */
function depthOf({ width, height, data }: Plane): number {
  return data.length / (width * height);
}

/** RGBA of an area in one colour, as opaque as the mask is strong. */
export function tinted(mask: Mask, area: Area, [red, green, blue]: Colour) {
  const strengths = copyArea(mask, area);
  const pixels = new Uint8ClampedArray(strengths.length * 4);
  for (let index = 0; index < strengths.length; index += 1) {
    pixels.set([red, green, blue, strengths[index] ?? 0], index * 4);
  }
  return pixels;
}

/** RGBA for a file: transparent where the picture is to be repainted. */
export function transparent(mask: Mask): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(mask.data.length * 4);
  for (let index = 0; index < mask.data.length; index += 1) pixels[index * 4 + 3] = 255 - (mask.data[index] ?? 0);
  return pixels;
}
