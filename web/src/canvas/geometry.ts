/** Lines and boxes on the canvas. Pure. */

import type { Point } from "../document";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type WireStyle = "curved" | "straight" | "stepped";

/** How far a curve goes straight on before it turns, at least and at most. */
const PULL = { least: 24, most: 160 };

/** The SVG path of a wire from an output through some points to an input. */
export function wirePath(points: readonly Point[], style: WireStyle): string {
  const first = points[0];
  if (!first) return "";
  let path = `M${first[0]} ${first[1]}`;
  for (let index = 1; index < points.length; index++) {
    const a = points[index - 1] as Point;
    const b = points[index] as Point;
    path += segment(a, b, style);
  }
  return path;
}

function segment(a: Point, b: Point, style: WireStyle): string {
  if (style === "straight") return `L${b[0]} ${b[1]}`;
  if (style === "stepped") {
    const middle = Math.round((a[0] + b[0]) / 2);
    return `H${middle}V${b[1]}H${b[0]}`;
  }
  const pull = pullOf(a, b);
  return `C${a[0] + pull} ${a[1]} ${b[0] - pull} ${b[1]} ${b[0]} ${b[1]}`;
}

function pullOf(a: Point, b: Point): number {
  const far = Math.hypot(b[0] - a[0], b[1] - a[1]) / 2;
  return Math.min(Math.max(PULL.least, far), PULL.most, Math.max(far, 1) * 1.2);
}

/** Points along a wire, for hit tests and for drawing without SVG. */
export function sampleWire(points: readonly Point[], style: WireStyle, steps = 12): Point[] {
  const sampled: Point[] = points[0] ? [points[0]] : [];
  for (let index = 1; index < points.length; index++) {
    const a = points[index - 1] as Point;
    const b = points[index] as Point;
    if (style === "straight") sampled.push(b);
    else if (style === "stepped") {
      const middle = Math.round((a[0] + b[0]) / 2);
      sampled.push([middle, a[1]], [middle, b[1]], b);
    } else {
      const pull = pullOf(a, b);
      for (let step = 1; step <= steps; step++) sampled.push(bezier(a, b, pull, step / steps));
    }
  }
  return sampled;
}

function bezier(a: Point, b: Point, pull: number, t: number): Point {
  const s = 1 - t;
  const at = (p0: number, p1: number, p2: number, p3: number) =>
    s * s * s * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t * t * t * p3;
  return [at(a[0], a[0] + pull, b[0] - pull, b[0]), at(a[1], a[1], b[1], b[1])];
}

/** Whether two polylines cross. */
export function linesCross(one: readonly Point[], other: readonly Point[]): boolean {
  for (let i = 1; i < one.length; i++) {
    for (let j = 1; j < other.length; j++) {
      if (segmentsCross(one[i - 1] as Point, one[i] as Point, other[j - 1] as Point, other[j] as Point)) return true;
    }
  }
  return false;
}

function segmentsCross(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point) => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
  const [s1, s2, s3, s4] = [side(c, d, a), side(c, d, b), side(a, b, c), side(a, b, d)];
  // A point that lies on the other line counts to one side, so that a cut through a joint of two pieces is one cut.
  return s1 > 0 !== s2 > 0 && s3 > 0 !== s4 > 0;
}

/** Distance of a point from a polyline, and the piece of it that is nearest. */
export function distanceTo(line: readonly Point[], point: Point): { distance: number; piece: number } {
  let best = { distance: Number.POSITIVE_INFINITY, piece: 0 };
  for (let index = 1; index < line.length; index++) {
    const distance = distanceToSegment(line[index - 1] as Point, line[index] as Point, point);
    if (distance < best.distance) best = { distance, piece: index - 1 };
  }
  return best;
}

function distanceToSegment(a: Point, b: Point, p: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length));
  return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
}

/** Between which of a wire's points a new one goes: the index at which to put it in. */
export function placeOnWire(points: readonly Point[], style: WireStyle, at: Point): number {
  let best = { distance: Number.POSITIVE_INFINITY, index: 0 };
  for (let index = 1; index < points.length; index++) {
    const piece = sampleWire([points[index - 1] as Point, points[index] as Point], style);
    const { distance } = distanceTo(piece, at);
    if (distance < best.distance) best = { distance, index: index - 1 };
  }
  return best.index;
}

export function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Whether any part of a polyline comes into a box, piece by piece: a long line's own box says little. */
export function passes(line: readonly Point[], rect: Rect): boolean {
  for (let index = 1; index < line.length; index++) {
    const [a, b] = [line[index - 1] as Point, line[index] as Point];
    if (Math.max(a[0], b[0]) < rect.x || Math.min(a[0], b[0]) > rect.x + rect.width) continue;
    if (Math.max(a[1], b[1]) < rect.y || Math.min(a[1], b[1]) > rect.y + rect.height) continue;
    return true;
  }
  return false;
}

export function encloses(outer: Rect, inner: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

export function contains(rect: Rect, [x, y]: Point): boolean {
  return x >= rect.x && y >= rect.y && x <= rect.x + rect.width && y <= rect.y + rect.height;
}

export function grown(rect: Rect, by: number): Rect {
  return { x: rect.x - by, y: rect.y - by, width: rect.width + 2 * by, height: rect.height + 2 * by };
}

export function around(rects: readonly Rect[]): Rect | null {
  if (rects.length === 0) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const rect of rects) {
    left = Math.min(left, rect.x);
    top = Math.min(top, rect.y);
    right = Math.max(right, rect.x + rect.width);
    bottom = Math.max(bottom, rect.y + rect.height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The box around a polyline. */
export function bounds(points: readonly Point[]): Rect {
  return around(points.map(([x, y]) => ({ x, y, width: 0, height: 0 }))) ?? { x: 0, y: 0, width: 0, height: 0 };
}
