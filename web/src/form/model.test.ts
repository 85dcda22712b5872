import { expect, test } from "vitest";
import type { NodeSchema, Workflow } from "../document";
import catalogueJson from "../testing/catalogue.json";
import { candidates, fieldsOf, formOf, isExample, isLinked, nodeName, pictureAsked, resultNodes } from "./model";
import { moved, reworded } from "./order";
import { formHash, formNamed } from "./route";
import { added } from "./shots";

const catalogue = new Map((catalogueJson.nodes as unknown as NodeSchema[]).map((node) => [node.name, node]));

const TEXT_TO_IMAGE: Workflow = {
  darkroom: 1,
  nodes: {
    model: { type: "LoadCheckpoint", inputs: { ckpt_name: "tiny.safetensors" } },
    nothing: { type: "EncodeText", inputs: { text: "blurry", clip: { from: "model.clip" } } },
    prompt: { type: "EncodeText", inputs: { text: "an apple", clip: { from: "model.clip" } } },
    canvas: { type: "EmptyLatent", inputs: { width: 64 } },
    sampler: {
      type: "KSampler",
      inputs: {
        model: { from: "model.model" },
        positive: { from: "prompt.conditioning" },
        negative: { from: "nothing.conditioning" },
        latent_image: { from: "canvas.latent" },
        seed: 18446744073709551615n,
      },
    },
    save: { type: "SaveImage", inputs: { images: { from: "sampler.latent" } } },
  },
  layout: { nodes: { sampler: { position: [0, 0], seeds: { seed: "random" } } } },
};

test("a workflow without a form asks for prompts, size and seed, the positive prompt first", () => {
  const form = formOf(TEXT_TO_IMAGE, catalogue);
  expect(form.inputs).toEqual([
    "prompt.text",
    "nothing.text",
    "canvas.width",
    "canvas.height",
    "canvas.batch_size",
    "sampler.seed",
  ]);
  expect(form.outputs).toEqual(["save"]);
});

test("prompts are called after their nodes, other inputs by their own names", () => {
  const labels = fieldsOf(TEXT_TO_IMAGE, formOf(TEXT_TO_IMAGE, catalogue), catalogue).map((field) => field.label);
  expect(labels).toEqual(["Prompt", "Nothing", "Width", "Height", "Batch size", "Seed"]);
});

test("two inputs of one name are told apart by their nodes", () => {
  const two: Workflow = { ...TEXT_TO_IMAGE, nodes: { ...TEXT_TO_IMAGE.nodes, large: { type: "EmptyLatent" } } };
  const form = { inputs: ["canvas.width", "large.width"], outputs: [] };
  expect(fieldsOf(two, form, catalogue).map((field) => field.label)).toEqual(["Canvas: width", "Large: width"]);
});

test("a field knows its exact value and what becomes of its seed", () => {
  const [seed] = fieldsOf(TEXT_TO_IMAGE, { inputs: ["sampler.seed"], outputs: [] }, catalogue);
  expect(seed?.value).toBe(18446744073709551615n);
  expect(seed?.seedMode).toBe("random");
});

test("what a wire feeds, and what is not there, is not asked for", () => {
  const form = { inputs: ["sampler.model", "gone.text", "prompt.clip", "prompt.nothing"], outputs: [] };
  expect(fieldsOf(TEXT_TO_IMAGE, form, catalogue)).toEqual([]);
});

test("a document's own form is taken as it is, with its own words", () => {
  const own: Workflow = {
    ...TEXT_TO_IMAGE,
    form: {
      inputs: ["prompt.text"],
      outputs: [],
      labels: { "prompt.text": "What to draw" },
      hints: { "prompt.text": "" },
    },
  };
  const [field] = fieldsOf(own, formOf(own, catalogue), catalogue);
  expect(field?.label).toBe("What to draw");
  expect(field?.hint).toBe("");
});

test("an input of a subgraph can be on the page", () => {
  const nested: Workflow = {
    darkroom: 1,
    nodes: { portrait: { type: "subgraph:p", inputs: { words: "a face" } } },
    subgraphs: {
      p: {
        name: "Portrait",
        nodes: { inner: { type: "EncodeText" } },
        inputs: [{ name: "words", to: ["inner.text"] }],
        outputs: [],
      },
    },
  };
  expect(candidates(nested, catalogue).map((field) => [field.entry, field.value])).toEqual([
    ["portrait.words", "a face"],
  ]);
});

test("ids that only count are replaced by the type's title", () => {
  const numbered: Workflow = {
    darkroom: 1,
    nodes: { "3": { type: "KSampler" }, "4": { type: "KSampler", title: "Fine" } },
  };
  expect(nodeName(numbered, "3", catalogue)).toBe(catalogue.get("KSampler")?.title);
  expect(nodeName(numbered, "4", catalogue)).toBe("Fine");
});

test("results come from nodes that show or save", () => {
  expect(resultNodes(TEXT_TO_IMAGE, catalogue)).toEqual(["save"]);
});

test("an entry moves to the place of another", () => {
  expect(moved(["a", "b", "c"], "a", "c")).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], "c", "a")).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b"], "a", "gone")).toEqual(["a", "b"]);
});

const INPAINTING: Workflow = {
  darkroom: 1,
  nodes: {
    picture: { type: "LoadImage", inputs: { image: "lion.png" } },
    bare: { type: "LoadImage", inputs: { image: "fox.png" } },
    grow: { type: "GrowMask", inputs: { mask: { from: "picture.mask" } } },
    save: { type: "SaveImage", inputs: { images: { from: "bare.image" } } },
  },
};

test("a mask that something takes is known to be wanted", () => {
  expect(isLinked(INPAINTING, "picture", "mask")).toBe(true);
  expect(isLinked(INPAINTING, "bare", "mask")).toBe(false);
  expect(isLinked(INPAINTING, "bare", "image")).toBe(true);
});

test("a picture is an example until it is changed or the workflow is saved", () => {
  const [field] = fieldsOf(INPAINTING, { inputs: ["picture.image"], outputs: [] }, catalogue);
  if (!field) throw new Error("no field");
  const tab = { saved: null, document: INPAINTING, savedDocument: INPAINTING };
  expect(isExample(tab, field)).toBe(true);
  expect(isExample({ ...tab, saved: { name: "mine" } }, field)).toBe(false);
  expect(isExample(tab, { ...field, value: "own.png" })).toBe(false);
});

test("results are held against the first picture on the page, and prompts against none", () => {
  const fields = fieldsOf(INPAINTING, { inputs: ["bare.image", "picture.image"], outputs: [] }, catalogue);
  expect(pictureAsked(fields)).toBe("fox.png");
  expect(pictureAsked(fieldsOf(TEXT_TO_IMAGE, formOf(TEXT_TO_IMAGE, catalogue), catalogue))).toBeNull();
});

test("no words give an entry its own again", () => {
  expect(reworded({ a: "one" }, "b", "two")).toEqual({ a: "one", b: "two" });
  expect(reworded({ a: "one", b: "two" }, "a", "")).toEqual({ b: "two" });
  expect(reworded(undefined, "a", "")).toEqual({});
});

test("a form's address leads back to its name", () => {
  for (const name of ["portrait", "portraits/two faces", "50% grey", "ünïcode", "a#b?c"]) {
    expect(formNamed(formHash(name))).toBe(name);
  }
  expect(formNamed("#/form/%E0%A4%A")).toBeNull();
  expect(formNamed("#/form/")).toBeNull();
  expect(formNamed("")).toBeNull();
});

test("new pictures come first and none is there twice", () => {
  const file = (filename: string) => ({ filename, subfolder: "", type: "output" as const });
  const before = { pictures: [file("b"), file("a")], fresh: 1, texts: [], befores: { "output//a": "cat.png" } };
  const made = { pictures: [file("c"), file("b")], fresh: 2, texts: ["said"], befores: { "output//c": "dog.png" } };
  const after = added(before, made);
  expect(after.pictures.map((each) => each.filename)).toEqual(["c", "b", "a"]);
  expect(after.fresh).toBe(2);
  expect(after.befores).toEqual({ "output//a": "cat.png", "output//c": "dog.png" });
});
