/** What part of the picture is in sight: its upper left corner on the screen, and screen pixels for each of its own. */

export interface Sight {
  x: number;
  y: number;
  zoom: number;
}

export interface Place {
  x: number;
  y: number;
}

export interface Extent {
  width: number;
  height: number;
}

const LEAST_ZOOM = 0.05;
const MOST_ZOOM = 32;
const MARGIN = 24;

/** All of the picture, in the middle; small ones are enlarged, since they are to be painted on. */
export function fitted(picture: Extent, screen: Extent): Sight {
  const across = (screen.width - 2 * MARGIN) / picture.width;
  const down = (screen.height - 2 * MARGIN) / picture.height;
  const zoom = limited(Math.min(across, down));
  return {
    zoom,
    x: (screen.width - picture.width * zoom) / 2,
    y: (screen.height - picture.height * zoom) / 2,
  };
}

/** Zoom by a factor; what is under `at` on the screen stays there. */
export function zoomed(sight: Sight, factor: number, at: Place): Sight {
  const zoom = limited(sight.zoom * factor);
  const scale = zoom / sight.zoom;
  return { zoom, x: at.x - (at.x - sight.x) * scale, y: at.y - (at.y - sight.y) * scale };
}

export function moved(sight: Sight, by: Place): Sight {
  return { ...sight, x: sight.x + by.x, y: sight.y + by.y };
}

/** Two fingers went from one pair of places to another: the picture follows both. */
export function pinched(sight: Sight, before: [Place, Place], after: [Place, Place]): Sight {
  const [was, is] = [middle(before), middle(after)];
  const factor = apart(after) / Math.max(1, apart(before));
  return moved(zoomed(sight, factor, was), { x: is.x - was.x, y: is.y - was.y });
}

/** A place on the screen, in the picture's pixels. */
export function onPicture(sight: Sight, { x, y }: Place): Place {
  return { x: (x - sight.x) / sight.zoom, y: (y - sight.y) / sight.zoom };
}

function limited(zoom: number): number {
  return Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, zoom));
}

function middle([one, other]: [Place, Place]): Place {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function apart([one, other]: [Place, Place]): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
