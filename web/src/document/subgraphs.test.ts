import { describe, expect, it } from "vitest";
import { CATALOGUE, TEXT_TO_IMAGE } from "../testing/documents";
import { apply, type Change, catalogueOf, closesLoop, hintsOf, type Workflow } from ".";

const MAKE: Change = {
  type: "makeSubgraph",
  nodes: ["prompt", "nothing", "sampler"],
  id: "paint",
  name: "Paint",
  instance: "paint",
};

function edited(document: Workflow, ...changes: Change[]): Workflow {
  return changes.reduce((now, change) => apply(now, change).document, document);
}

describe("making a subgraph of some nodes", () => {
  const made = edited(TEXT_TO_IMAGE, MAKE);
  const inside = made.subgraphs?.paint;

  it("promotes each output that led in once, to all that it fed", () => {
    const clip = inside?.inputs.find((input) => input.name === "clip");
    expect(clip?.to).toEqual(["prompt.clip", "nothing.clip"]);
    expect(made.nodes.paint?.inputs?.clip).toEqual({ from: "model.clip" });
  });

  it("promotes what the form shows, and the form follows", () => {
    expect(made.form?.inputs).toEqual(["paint.text", "paint.seed"]);
    expect(inside?.inputs.find((input) => input.name === "seed")?.to).toEqual(["sampler.seed"]);
  });

  it("leads what used its outputs to the instance", () => {
    expect(inside?.outputs).toEqual([{ name: "latent", from: "sampler.latent" }]);
    expect(made.nodes.develop?.inputs?.samples).toEqual({ from: "paint.latent" });
  });

  it("keeps the values inside", () => {
    expect(inside?.nodes.prompt?.inputs).toEqual({ text: "red apple" });
    expect(inside?.nodes.sampler?.inputs?.positive).toEqual({ from: "prompt.conditioning" });
  });

  it("gives a node type that shows the promoted inputs with their widgets and present values", () => {
    const schema = catalogueOf(made, CATALOGUE).get("subgraph:paint");
    expect(schema?.title).toBe("Paint");
    expect(schema?.inputs.find((input) => input.name === "text")).toMatchObject({
      widget: "multiline",
      default: "red apple",
    });
    expect(schema?.outputs).toMatchObject([{ name: "latent", type: "LATENT" }]);
    expect(hintsOf(made, CATALOGUE)).toEqual([]);
  });

  it("is taken apart into what was there before", () => {
    const apart = edited(made, { type: "unpackSubgraph", node: "paint" }, { type: "removeSubgraph", id: "paint" });
    expect(apart.nodes).toEqual(TEXT_TO_IMAGE.nodes);
    expect(apart.form).toEqual(TEXT_TO_IMAGE.form);
  });

  it("stays while something is an instance of it", () => {
    expect(edited(made, { type: "removeSubgraph", id: "paint" })).toBe(made);
  });
});

describe("inside a subgraph", () => {
  const made = edited(TEXT_TO_IMAGE, MAKE);

  it("removing a node takes its promoted inputs and what instances gave them", () => {
    const less = edited(made, { type: "removeNodes", in: "paint", nodes: ["sampler"] });
    expect(less.subgraphs?.paint?.inputs.map((input) => input.name)).toEqual(["clip", "text"]);
    expect(less.subgraphs?.paint?.outputs).toEqual([]);
    expect(Object.keys(less.nodes.paint?.inputs ?? {})).toEqual(["clip"]);
    expect(less.nodes.develop?.inputs?.samples).toBeUndefined();
  });

  it("a further subgraph keeps the way to the outside", () => {
    const nested = edited(made, { ...MAKE, in: "paint", nodes: ["sampler"], id: "inner", instance: "inner" });
    expect(nested.subgraphs?.paint?.outputs).toEqual([{ name: "latent", from: "inner.latent" }]);
    expect(nested.subgraphs?.paint?.inputs.find((input) => input.name === "seed")?.to).toEqual(["inner.seed"]);
    expect(catalogueOf(nested, CATALOGUE).get("subgraph:paint")?.outputs).toMatchObject([{ type: "LATENT" }]);
    const apart = edited(
      nested,
      { type: "unpackSubgraph", in: "paint", node: "inner" },
      { type: "removeSubgraph", id: "inner" },
    );
    expect(apart.subgraphs?.paint?.inputs).toEqual(made.subgraphs?.paint?.inputs);
    expect(apart.subgraphs?.paint?.nodes.sampler).toEqual(made.subgraphs?.paint?.nodes.sampler);
  });
});

describe("loops", () => {
  it("are seen before they close", () => {
    expect(closesLoop(TEXT_TO_IMAGE, "save", "model")).toBe(true);
    expect(closesLoop(TEXT_TO_IMAGE, "model", "save")).toBe(false);
    expect(closesLoop(TEXT_TO_IMAGE, "model", "model")).toBe(true);
  });
});
