/**
 * Read a picture with its colours, also where it is transparent, and write a mask as a PNG.
 *
 * A 2D canvas multiplies colours by alpha: what lies under a mask would be black. WebGL keeps them apart.
 */

import { type Mask, transparent } from "./mask";

/** RGBA of the picture at `url`. @throws Error with a sentence when it cannot be read. */
export async function readPixels(url: string): Promise<ImageData> {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`The picture cannot be read (status ${response.status}).`);
  const bitmap = await decoded(await response.blob());
  try {
    return straight(bitmap) ?? premultiplied(bitmap);
  } finally {
    bitmap.close();
  }
}

async function decoded(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
  } catch {
    throw new Error("The picture cannot be read: it is damaged, or of a kind that this browser does not know.");
  }
}

/** Exact colours by WebGL; null where there is none, or the picture is too large for it. */
function straight(bitmap: ImageBitmap): ImageData | null {
  const { width, height } = bitmap;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return null;
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  const complete = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
  const pixels = new Uint8Array(width * height * 4);
  if (complete) gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return complete ? new ImageData(new Uint8ClampedArray(pixels.buffer), width, height) : null;
}

function premultiplied(bitmap: ImageBitmap): ImageData {
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  if (!context) throw new Error("This browser has no canvas, so a mask cannot be painted in it.");
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** The mask as a PNG in the picture's size: transparent where it is to be repainted. */
export async function maskFile(mask: Mask): Promise<Blob> {
  const canvas = new OffscreenCanvas(mask.width, mask.height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no canvas, so the mask cannot be stored.");
  context.putImageData(new ImageData(transparent(mask), mask.width, mask.height), 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
