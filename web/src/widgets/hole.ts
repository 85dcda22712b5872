/** Whether something of a picture is painted out: transparent, as masks are stored. */

import { useEffect, useState } from "react";

/** Enough to find a dab of the brush, and small enough to be looked through at once. */
const SIDE = 96;

/** Null while nobody knows, or for no picture. */
export function useHole(url: string | null): boolean | null {
  const [found, setFound] = useState<{ url: string; hole: boolean } | null>(null);
  useEffect(() => {
    if (url === null) return;
    let here = true;
    const picture = new Image();
    picture.onload = () => here && setFound({ url, hole: isHoled(picture) });
    picture.src = url;
    return () => {
      here = false;
    };
  }, [url]);
  return found && found.url === url ? found.hole : null;
}

function isHoled(picture: HTMLImageElement): boolean {
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d");
  if (!context) return false;
  context.drawImage(picture, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  for (let index = 3; index < data.length; index += 4) if ((data[index] ?? 255) < 128) return true;
  return false;
}
