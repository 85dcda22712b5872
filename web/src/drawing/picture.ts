/** A drawing to a file and back, at the page's border. */

import type { CanvasSchema } from "../document";
import { readPixels } from "../mask/pixels";
import { newRaster, paperOf, type Raster, readCode, snap, stretched } from "./raster";

/**
 * The raster to go on with: what was drawn before, in the size that is wanted now, or a new sheet.
 *
 * @throws Error with a sentence when the picture cannot be read.
 */
export async function openRaster(
  url: string | null,
  canvas: CanvasSchema,
  size: { width: number; height: number },
): Promise<Raster> {
  if (url === null) return newRaster(size.width, size.height, paperOf(canvas));
  const { data, width, height } = await readPixels(url);
  const read: Raster = { data: new Uint8ClampedArray(data), width, height };
  const raster = width === size.width && height === size.height ? read : stretched(read, size.width, size.height);
  const palette = (canvas.palette ?? []).map(({ colour }) => readCode(colour)).filter((each) => each !== null);
  if (palette.length > 0) snap(raster, palette);
  return raster;
}

/** As a PNG. Opaque colours come out exactly as they are. */
export async function drawingFile(raster: Raster): Promise<Blob> {
  const canvas = new OffscreenCanvas(raster.width, raster.height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no canvas, so the drawing cannot be stored.");
  context.putImageData(new ImageData(raster.data, raster.width, raster.height), 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** A name that no other drawing has: each finished drawing is a file of its own, so that undo finds the one before. */
export function drawingName(now: Date): string {
  return `drawing-${now.toISOString().replace(/[-:]/g, "").slice(0, 15).replace("T", "-")}.png`;
}
