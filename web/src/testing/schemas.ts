/** Schemas of inputs for tests and the gallery. */

import { anyInput, type InputSchema } from "../document";

/** An input of which only what matters is said. */
export function input(given: Partial<InputSchema> & Pick<InputSchema, "name">): InputSchema {
  return { ...anyInput(given.name), type: "STRING", required: true, widget: "text", ...given };
}

export const STEPS = input({
  name: "steps",
  type: "INT",
  widget: "number",
  default: 20,
  minimum: 1,
  maximum: 10_000,
  help: "How many times the model is asked. More are slower and, up to a point, better.",
});
export const CFG = input({
  name: "cfg",
  type: "FLOAT",
  widget: "number",
  default: 8,
  minimum: 0,
  maximum: 100,
  step: 0.1,
  help: "How closely to follow the prompt.",
});
export const WIDTH = input({
  name: "width",
  type: "INT",
  widget: "number",
  default: 512,
  minimum: 16,
  maximum: 16384,
  multiple_of: 8,
});
export const DENOISE = input({
  name: "denoise",
  type: "FLOAT",
  widget: "slider",
  default: 1,
  minimum: 0,
  maximum: 1,
  step: 0.01,
  help: "Share of the schedule to run; below 1 keeps part of the input.",
});
export const SEED = input({
  name: "seed",
  type: "INT",
  widget: "seed",
  default: 0,
  minimum: 0,
  // As the exact JSON reader gives it: 2^64 - 1 is no number.
  maximum: 18446744073709551615n as unknown as number,
  help: "Where the noise comes from.",
});
export const PROMPT = input({ name: "text", widget: "multiline", help: "What the picture shows." });
export const SAMPLER = input({
  name: "sampler_name",
  type: "COMBO",
  widget: "combo",
  default: "euler",
  options: ["euler", "euler_ancestral", "heun", "dpm_2", "dpmpp_2m", "dpmpp_sde", "ddim", "lcm", "uni_pc", "lms"],
});
export const TOGGLE = input({ name: "add_noise", type: "BOOLEAN", widget: "toggle", default: true });
export const PREFIX = input({ name: "filename_prefix", default: "darkroom" });
export const CHECKPOINT = input({ name: "ckpt_name", type: "COMBO", widget: "file", folder: "checkpoints" });
export const IMAGE = input({ name: "image", type: "COMBO", widget: "file", folder: "input" });
export const COLOUR = input({ name: "colour", widget: "colour", default: "#ff8b3d" });
