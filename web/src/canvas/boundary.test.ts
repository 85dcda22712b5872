import { expect, test } from "vitest";
import { apply, catalogueOf, type Subgraph, scopeOf, type Workflow } from "../document";
import { CATALOGUE, TEXT_TO_IMAGE } from "../testing/documents";
import { type Boundary, boundaryOf } from "./boundary";
import { buildScene, innerRect, sceneRect } from "./scene";

const MADE: Workflow = apply(TEXT_TO_IMAGE, {
  type: "makeSubgraph",
  nodes: ["prompt", "nothing", "sampler"],
  id: "paint",
  name: "Paint",
  instance: "paint",
}).document;
const NO_HEIGHTS = new Map<string, number>();
const inside = scopeOf(MADE, "paint") as Subgraph;
const scene = buildScene(inside, catalogueOf(MADE, CATALOGUE), "curved");

function boundary(document = MADE): Boundary {
  return boundaryOf(scene, NO_HEIGHTS, inside, { scope: document, node: "paint" });
}

test("inputs say what comes in, of which type, and from where", () => {
  const ports = Object.fromEntries(boundary().inputs?.ports.map((port) => [port.name, port]) ?? []);
  expect(ports.clip).toMatchObject({ type: "CLIP", given: "from model", ends: ["prompt.clip", "nothing.clip"] });
  expect(ports.clip?.paths).toHaveLength(2);
  expect(ports.seed).toMatchObject({ type: "INT", given: "1" });
  expect(ports.text).toMatchObject({ type: "STRING", given: "red apple" });
});

test("outputs lead from the nodes inside", () => {
  expect(boundary().outputs?.ports).toMatchObject([{ type: "LATENT", ends: ["sampler.latent"] }]);
  expect(boundary().outputs?.ports[0]?.paths).toHaveLength(1);
});

test("the cards stand beside the nodes, and the view makes room for them", () => {
  const { inputs, outputs } = boundary();
  const nodes = innerRect(scene, NO_HEIGHTS);
  const all = sceneRect(scene, NO_HEIGHTS);
  if (!inputs || !outputs || !nodes || !all) throw new Error("nothing is there");
  expect(inputs.rect.x + inputs.rect.width).toBeLessThan(nodes.x);
  expect(outputs.rect.x).toBeGreaterThan(nodes.x + nodes.width);
  expect(all.x).toBe(inputs.rect.x);
  expect(all.x + all.width).toBe(outputs.rect.x + outputs.rect.width);
});

test("a subgraph that shows nothing has no cards", () => {
  const closed = { ...inside, inputs: [], outputs: [] };
  const alone = buildScene(closed, catalogueOf(MADE, CATALOGUE), "curved");
  expect(boundaryOf(alone, NO_HEIGHTS, closed, undefined)).toEqual({ inputs: null, outputs: null });
  expect(sceneRect(alone, NO_HEIGHTS)).toEqual(innerRect(alone, NO_HEIGHTS));
});
