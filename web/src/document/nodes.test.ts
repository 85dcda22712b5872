import { describe, expect, it } from "vitest";
import { TEXT_TO_IMAGE } from "../testing/documents";
import { apply, type Change, type Workflow } from ".";

function edited(document: Workflow, ...changes: Change[]): Workflow {
  return changes.reduce((now, change) => apply(now, change).document, document);
}

describe("removing a node", () => {
  const left = edited(TEXT_TO_IMAGE, { type: "removeNodes", nodes: ["sampler"] });

  it("takes its wires, their points, its place and its form entries with it", () => {
    expect(left.nodes.sampler).toBeUndefined();
    expect(left.nodes.develop?.inputs).toEqual({ vae: { from: "model.vae" } });
    expect(left.layout?.wires).toEqual({});
    expect(left.layout?.nodes?.sampler).toBeUndefined();
    expect(left.form?.inputs).toEqual(["prompt.text"]);
  });

  it("leaves nodes that had nothing to do with it as the very same objects", () => {
    expect(left.nodes.prompt).toBe(TEXT_TO_IMAGE.nodes.prompt);
  });

  it("puts it back in its old place among the others when undone", () => {
    const { document, inverse } = apply(TEXT_TO_IMAGE, { type: "removeNodes", nodes: ["prompt"] });
    expect(Object.keys(apply(document, inverse).document.nodes)).toEqual(Object.keys(TEXT_TO_IMAGE.nodes));
  });
});

describe("renaming a node", () => {
  it("is followed by links, places, points of wires and the form", () => {
    const renamed = edited(TEXT_TO_IMAGE, { type: "renameNode", node: "develop", to: "decode" });
    expect(renamed.nodes.save?.inputs?.images).toEqual({ from: "decode.image" });
    expect(renamed.layout?.nodes?.decode).toEqual({ position: [900, 0] });
    expect(renamed.layout?.wires).toEqual({ "decode.samples": [[850, 40]] });
    const prompt = edited(TEXT_TO_IMAGE, { type: "renameNode", node: "prompt", to: "words" });
    expect(prompt.form?.inputs).toEqual(["words.text", "sampler.seed"]);
  });

  it("is refused when the name is taken or there is no such node", () => {
    expect(edited(TEXT_TO_IMAGE, { type: "renameNode", node: "prompt", to: "save" })).toBe(TEXT_TO_IMAGE);
    expect(edited(TEXT_TO_IMAGE, { type: "renameNode", node: "nobody", to: "x" })).toBe(TEXT_TO_IMAGE);
  });
});

describe("an edit that changes nothing", () => {
  const idle: Change[] = [
    { type: "setInput", node: "prompt", input: "text", value: "red apple" },
    { type: "setInput", node: "nobody", input: "text", value: "x" },
    { type: "setMode", nodes: ["prompt"], mode: "run" },
    { type: "setTitle", node: "prompt", title: null },
    { type: "move", nodes: { prompt: [300, 0] } },
    { type: "removeNodes", nodes: ["nobody"] },
    { type: "disconnect", to: { node: "prompt", input: "text" } },
    { type: "connect", from: { node: "nobody", output: "x" }, to: { node: "prompt", input: "clip" } },
    { type: "removeSubgraph", id: "none" },
    { type: "setTitle", in: "none", node: "prompt", title: "x" },
  ];
  it.each(idle)("gives the very same document: $type", (change) => {
    expect(edited(TEXT_TO_IMAGE, change)).toBe(TEXT_TO_IMAGE);
  });
});

describe("an input that grows", () => {
  const image = (index: number): Change => ({
    type: "connect",
    from: { node: "develop", output: "image" },
    to: { node: "row", input: "images", index },
    grows: true,
  });
  const empty = edited(TEXT_TO_IMAGE, { type: "addNodes", nodes: { row: { type: "Row" } } });

  it("takes one link after the other", () => {
    const two = edited(empty, image(0), image(1));
    expect(two.nodes.row?.inputs?.images).toEqual([{ from: "develop.image" }, { from: "develop.image" }]);
  });

  it("closes ranks when one is cut, and their points move along", () => {
    const points: Change = {
      type: "setWirePoints",
      to: { node: "row", input: "images", index: 1 },
      points: [[1, 2]],
    };
    const cut: Change = { type: "disconnect", to: { node: "row", input: "images", index: 0 } };
    const one = edited(empty, image(0), image(1), points, cut);
    expect(one.nodes.row?.inputs?.images).toEqual([{ from: "develop.image" }]);
    expect(one.layout?.wires?.["row.images.0"]).toEqual([[1, 2]]);
    expect(one.layout?.wires?.["row.images.1"]).toBeUndefined();
  });

  it("is as if it had never been linked when the last one is cut", () => {
    const cut: Change = { type: "disconnect", to: { node: "row", input: "images", index: 0 } };
    expect(edited(empty, image(0), cut).nodes.row?.inputs).toEqual({});
  });
});

describe("ids with dots, as other programs make them", () => {
  it("are linked in the long form and cut when the node goes", () => {
    const document = edited(
      { darkroom: 1, nodes: { "a.b": { type: "EmptyLatent" }, c: { type: "KSampler" } } },
      { type: "connect", from: { node: "a.b", output: "latent" }, to: { node: "c", input: "latent_image" } },
    );
    expect(document.nodes.c?.inputs?.latent_image).toEqual({ from: ["a.b", "latent"] });
    expect(edited(document, { type: "removeNodes", nodes: ["a.b"] }).nodes.c?.inputs).toEqual({});
  });
});
