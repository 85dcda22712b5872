/** Small real documents and the real catalogue, for tests. */

import type { Catalogue, InputSchema, NodeSchema, Workflow } from "../document";
import { anyInput } from "../document";
import json from "./catalogue.json";

const BATCH: NodeSchema = {
  ...(json.nodes[0] as unknown as NodeSchema),
  name: "Row",
  title: "Row",
  category: "test",
  inputs: [{ ...anyInput("images"), type: "IMAGE", required: true, variadic: true } satisfies InputSchema],
  outputs: [{ name: "image", type: "IMAGE", is_list: false, help: "" }],
};

/** The built-in nodes, and `Row`, whose input grows. */
export const CATALOGUE: Catalogue = new Map(
  [...(json.nodes as unknown as NodeSchema[]), BATCH].map((node) => [node.name, node]),
);

/** Words in, picture out: loader, two prompts, canvas, sampler, decoder. */
export const TEXT_TO_IMAGE: Workflow = {
  darkroom: 1,
  name: "Text to image",
  nodes: {
    model: { type: "LoadCheckpoint", inputs: { ckpt_name: "darkroom-emoji-64.safetensors" } },
    prompt: { type: "EncodeText", inputs: { text: "red apple", clip: { from: "model.clip" } } },
    nothing: { type: "EncodeText", inputs: { text: "", clip: { from: "model.clip" } } },
    canvas: { type: "EmptyLatent", inputs: { width: 64, height: 64, vae: { from: "model.vae" } } },
    sampler: {
      type: "KSampler",
      inputs: {
        model: { from: "model.model" },
        positive: { from: "prompt.conditioning" },
        negative: { from: "nothing.conditioning" },
        latent_image: { from: "canvas.latent" },
        seed: 1,
        steps: 30,
      },
    },
    develop: { type: "VAEDecode", inputs: { samples: { from: "sampler.latent" }, vae: { from: "model.vae" } } },
    save: { type: "SaveImage", inputs: { images: { from: "develop.image" }, filename_prefix: "darkroom" } },
  },
  layout: {
    nodes: {
      model: { position: [0, 0] },
      prompt: { position: [300, 0] },
      nothing: { position: [300, 200] },
      canvas: { position: [300, 400] },
      sampler: { position: [600, 0] },
      develop: { position: [900, 0] },
      save: { position: [1200, 0] },
    },
    wires: { "develop.samples": [[850, 40]] },
  },
  form: { inputs: ["prompt.text", "sampler.seed"], outputs: ["save"] },
};

/** Random numbers in [0, 1) that come in the same order for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
