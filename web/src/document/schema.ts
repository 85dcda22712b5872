/** A node's schema as the server describes it: the mirror of `engine/node/schema.py`. */

import type { JsonValue } from "./types";

export type WidgetKind =
  | "number"
  | "slider"
  | "text"
  | "multiline"
  | "combo"
  | "toggle"
  | "seed"
  | "file"
  | "colour"
  | "boxes"
  | "drawing";

/** A colour that means something, such as a class. */
export interface PaletteColour {
  name: string;
  /** As `#rrggbb`. */
  colour: string;
}

/** What a `drawing` widget draws on. */
export interface CanvasSchema {
  /** In pixels, where the node has no input `width`. */
  width: number;
  height: number;
  /** The only colours there are; null: any. */
  palette: PaletteColour[] | null;
  /** Begins as nothing at all, instead of white paper. */
  transparent: boolean;
  /** From black (keep) to white (repaint), and it begins black. */
  mask: boolean;
}

export interface InputSchema {
  name: string;
  /** An upper-case port type, a comma list for a union, or `*` for anything. */
  type: string;
  required: boolean;
  default: JsonValue;
  /** How an unconnected input is edited; null: it must be linked, or left out when not required. */
  widget: WidgetKind | null;
  minimum: number | null;
  /** For `boxes`: how many there may be. */
  maximum: number | null;
  step: number | null;
  multiple_of: number | null;
  pattern: string | null;
  /** The choices of a combo; of `boxes`, labels to offer. */
  options: string[] | null;
  /** For `file` and `drawing`: the folder that the name is looked up in (`checkpoints`, `input`, ...). */
  folder: string | null;
  /** For `drawing`. */
  canvas: CanvasSchema | null;
  lazy: boolean;
  is_list: boolean;
  /** Grows: its value is a list of links. */
  variadic: boolean;
  help: string;
}

export interface OutputSchema {
  name: string;
  type: string;
  is_list: boolean;
  help: string;
}

export interface NodeSchema {
  name: string;
  title: string;
  version: number;
  category: string;
  help: string;
  inputs: InputSchema[];
  outputs: OutputSchema[];
  /** Has an effect on the world (saves a file). */
  output: boolean;
  lane: "device" | "cpu" | "loop";
  aliases: string[];
  fingerprinted: boolean;
  experimental: boolean;
  package: string;
  code: string;
}

/** Node types by name. */
export type Catalogue = ReadonlyMap<string, NodeSchema>;

/** One thing wrong with a workflow: the mirror of `engine/errors.py`. */
export interface Problem {
  code: string;
  message: string;
  node?: string | null;
  input?: string | null;
  wanted?: string | null;
  got?: string | null;
  fix?: string | null;
}

/** An input of which nothing is known but its name: it takes anything. */
export function anyInput(name: string): InputSchema {
  return {
    name,
    type: "*",
    required: false,
    default: null,
    widget: null,
    minimum: null,
    maximum: null,
    step: null,
    multiple_of: null,
    pattern: null,
    options: null,
    folder: null,
    canvas: null,
    lazy: false,
    is_list: false,
    variadic: false,
    help: "",
  };
}
