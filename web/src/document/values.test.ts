import { expect, test } from "vitest";
import catalogueJson from "../testing/catalogue.json";
import type { NodeSchema } from "./schema";
import type { Workflow } from "./types";
import { checkpointOf, settingOf } from "./values";

const catalogue = new Map((catalogueJson.nodes as unknown as NodeSchema[]).map((node) => [node.name, node]));
const GRAPH: Workflow = {
  darkroom: 1,
  nodes: {
    one: { type: "LoadCheckpoint", inputs: { ckpt_name: "one.safetensors" } },
    two: { type: "LoadCheckpoint", inputs: { ckpt_name: "two.safetensors" } },
    text: { type: "EncodeText", inputs: { text: "a fox", clip: { from: "two.clip" } } },
    canvas: { type: "EmptyLatent", inputs: { width: 96, height: { from: "one.height" } } },
    sampler: {
      type: "KSampler",
      inputs: {
        positive: { from: "text.conditioning" },
        model: { from: "one.model" },
        latent_image: { from: "gone.x" },
      },
    },
    round: { type: "KSampler", inputs: { model: { from: "round.latent" } } },
  },
};

test("an input says what is set, or its default, and nothing where a wire decides", () => {
  const schema = catalogue.get("EmptyLatent");
  const { canvas } = GRAPH.nodes;
  expect(settingOf(canvas, schema, "width")).toBe(96);
  expect(settingOf(canvas, schema, "batch_size")).toBe(1);
  expect(settingOf(canvas, schema, "height")).toBeUndefined();
  expect(settingOf(canvas, schema, "depth")).toBeUndefined();
  expect(settingOf(undefined, undefined, "width")).toBeUndefined();
});

test("the nearest checkpoint upstream is found, round a loop too", () => {
  expect(checkpointOf(GRAPH, catalogue, "text")).toBe("two.safetensors");
  expect(checkpointOf(GRAPH, catalogue, "sampler")).toBe("one.safetensors");
  expect(checkpointOf(GRAPH, catalogue, "round")).toBeUndefined();
  expect(checkpointOf(GRAPH, catalogue, "nowhere")).toBeUndefined();
});
