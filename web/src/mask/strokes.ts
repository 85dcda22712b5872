/** Undo and redo of strokes: of each, the pixels it touched as they were. Old ones go when they take too much memory. */

import { type Area, copyArea, type Mask, pasteArea, union, whole } from "./mask";

interface Step {
  area: Area;
  pixels: Uint8ClampedArray;
}

const MOST_BYTES = 128 * 1024 * 1024;

export class Strokes {
  private undone: Step[] = [];
  private done: Step[] = [];
  /** The mask before the stroke that is being drawn, and what it touched so far. */
  private before: Mask | null = null;
  private area: Area | null = null;

  constructor(private readonly mask: Mask) {}

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  begin(): void {
    this.before = { ...this.mask, data: this.mask.data.slice() };
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

  /** Do something to the whole mask as one step. */
  all(change: (mask: Mask) => void): Area {
    this.begin();
    change(this.mask);
    this.touch(whole(this.mask));
    this.end();
    return whole(this.mask);
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
    to.push({ area: step.area, pixels: copyArea(this.mask, step.area) });
    pasteArea(this.mask, step.area, step.pixels);
    return step.area;
  }

  private bound(): void {
    let bytes = this.done.reduce((sum, step) => sum + step.pixels.length, 0);
    while (bytes > MOST_BYTES && this.done.length > 1) bytes -= this.done.shift()?.pixels.length ?? 0;
  }
}
