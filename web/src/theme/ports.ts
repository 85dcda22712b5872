/**
 * How a port type looks: a colour, and for eyes that tell colours apart badly also a shape and a letter.
 *
 * Known types have a token of their own (`--port-IMAGE`); others get one of six more, always the same for a name.
 */

export type PortShape = "circle" | "square" | "diamond" | "triangle" | "hexagon" | "ring" | "star" | "pill";

export interface PortLook {
  /** A CSS colour. */
  colour: string;
  shape: PortShape;
  /** One or two characters, shown at a port under the pointer and where a wire being drawn fits. */
  letter: string;
}

const KNOWN: Readonly<Record<string, readonly [PortShape, string]>> = {
  IMAGE: ["square", "I"],
  MASK: ["ring", "Mk"],
  LATENT: ["diamond", "L"],
  MODEL: ["hexagon", "M"],
  CLIP: ["star", "C"],
  VAE: ["triangle", "V"],
  CONDITIONING: ["pill", "Cd"],
  SIGMAS: ["triangle", "σ"],
  CONTROL_NET: ["hexagon", "Cn"],
  TRAINING_SET: ["square", "Ts"],
  PICTURES: ["square", "P"],
  INT: ["circle", "#"],
  FLOAT: ["circle", "."],
  STRING: ["circle", "T"],
  BOOLEAN: ["circle", "?"],
  COMBO: ["circle", "≡"],
};

const SHAPES: readonly PortShape[] = ["circle", "square", "diamond", "triangle", "hexagon", "ring"];
const EXTRA_COLOURS = 6;

/** The look of a type. Of a union (`IMAGE,MASK`) the first type counts; `*` takes anything and stays neutral. */
export function portLook(type: string): PortLook {
  const name = (type.split(",")[0] ?? "").trim();
  const known = KNOWN[name];
  if (known) return { colour: `var(--port-${name})`, shape: known[0], letter: known[1] };
  if (name === "*" || name === "") return { colour: "var(--port-other)", shape: "circle", letter: "*" };
  const number = hash(name);
  return {
    colour: `var(--port-extra-${(number % EXTRA_COLOURS) + 1})`,
    shape: SHAPES[Math.floor(number / EXTRA_COLOURS) % SHAPES.length] ?? "circle",
    letter: name.charAt(0) + name.slice(1, 2).toLowerCase(),
  };
}

/** A small stable number for a name (djb2). */
function hash(name: string): number {
  let number = 5381;
  for (const character of name) number = (number * 33 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return number;
}
