/** Undo and redo of strokes: of each, the pixels it touched as they were. Old ones go when they take too much memory. */

import { type Area, copyArea, type Plane, pasteArea, union, whole } from "./mask";

interface Step {
  area: Area;
  pixels: Uint8ClampedArray;
}

const MOST_BYTES = 128 * 1024 * 1024;

export class Strokes<P extends Plane = Plane> {
  private undone: Step[] = [];
  private done: Step[] = [];
  /** The pixels before the stroke that is being drawn, and what it touched so far. */
  private before: P | null = null;
  private area: Area | null = null;

  constructor(private readonly plane: P) {}

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  begin(): void {
    this.before = { ...this.plane, data: this.plane.data.slice() };
    this.area = null;
  }

  touch(area: Area | null): void {
    this.area = union(this.area, area);
  }

  end(): void {
    if (this.before && this.area) {
      this.done.push({ area: this.area, pixels: copyArea(this.before, this.area) });
      this.undone = [];
      this.bound();
    }
    this.before = null;
  }

  /** Do something to all pixels as one step. */
  all(change: (plane: P) => void): Area {
    this.begin();
    change(this.plane);
    this.touch(whole(this.plane));
    this.end();
    return whole(this.plane);
  }

  undo(): Area | null {
    return this.swap(this.done, this.undone);
  }

  redo(): Area | null {
    return this.swap(this.undone, this.done);
  }

  private swap(from: Step[], to: Step[]): Area | null {
    const step = from.pop();
    if (!step) return null;
    to.push({ area: step.area, pixels: copyArea(this.plane, step.area) });
    pasteArea(this.plane, step.area, step.pixels);
    return step.area;
  }

  private bound(): void {
    let bytes = this.done.reduce((sum, step) => sum + step.pixels.length, 0);
    while (bytes > MOST_BYTES && this.done.length > 1) bytes -= this.done.shift()?.pixels.length ?? 0;
  }
}
