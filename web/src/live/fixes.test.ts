import { expect, test } from "vitest";
import type { Problem } from "../api/types";
import { apply, type NodeSchema, type Workflow } from "../document";
import catalogue from "../testing/catalogue.json";
import { fixesOf, named } from "./fixes";

const list = (Array.isArray(catalogue) ? catalogue : (catalogue as { nodes: unknown[] }).nodes) as NodeSchema[];
const NODES = new Map(list.map((node) => [node.name, node]));
const problem = (part: Partial<Problem>): Problem => ({
  code: "",
  message: "",
  node: "sampler",
  input: null,
  wanted: null,
  got: null,
  fix: null,
  ...part,
});
const sampler = (inputs: Record<string, number | string>, type = "KSampler"): Workflow => ({
  darkroom: 1,
  nodes: { sampler: { type, inputs } },
});

/** The document after the first fix. */
function fixed(found: Problem, document: Workflow): Workflow {
  const [fix] = fixesOf(found, document, NODES);
  return fix?.changes.reduce((now, change) => apply(now, change).document, document) ?? document;
}

test("a value beyond its range is set to the nearest end", () => {
  const found = problem({ code: "value_out_of_range", input: "steps" });
  expect(fixed(found, sampler({ steps: -4 })).nodes.sampler?.inputs?.steps).toBe(1);
  expect(fixesOf(found, sampler({ steps: 99_999 }), NODES)[0]?.title).toBe("Set to 10000");
});

test("an unknown node becomes one of those that were meant, with its inputs", () => {
  const found = problem({ code: "unknown_node", fix: "use 'KSampler', or install the plugin that has it" });
  const document = sampler({ steps: 20 }, "KSample");
  expect(fixesOf(found, document, NODES).map((fix) => fix.title)).toEqual(["Use KSampler"]);
  expect(fixed(found, document).nodes.sampler).toMatchObject({ type: "KSampler", inputs: { steps: 20 } });
});

test("an option that does not exist becomes one that was meant", () => {
  const found = problem({ code: "not_in_options", input: "sampler_name", fix: "use 'dpmpp_2m' or 'dpmpp_sde'" });
  expect(fixed(found, sampler({ sampler_name: "dpmpp_2" })).nodes.sampler?.inputs?.sampler_name).toBe("dpmpp_2m");
  expect(fixesOf(found, sampler({ sampler_name: "dpmpp_2" }), NODES)).toHaveLength(2);
});

test("an input that the node has not is removed", () => {
  const found = problem({ code: "unknown_input", input: "stepps" });
  expect(fixed(found, sampler({ stepps: 3, steps: 4 })).nodes.sampler?.inputs).toEqual({ steps: 4 });
});

test("a node inside a subgraph is mended in the subgraph", () => {
  const document: Workflow = {
    darkroom: 1,
    nodes: { portrait: { type: "subgraph:p" } },
    subgraphs: {
      p: { name: "P", inputs: [], outputs: [], nodes: { sampler: { type: "KSampler", inputs: { steps: 0 } } } },
    },
  };
  const found = problem({ code: "value_out_of_range", node: "portrait:sampler", input: "steps" });
  expect(fixed(found, document).subgraphs?.p?.nodes.sampler?.inputs?.steps).toBe(1);
});

test("what takes thought has no button", () => {
  expect(fixesOf(problem({ code: "missing_input", input: "model" }), sampler({}), NODES)).toEqual([]);
  expect(fixesOf(problem({ code: "value_out_of_range", node: "gone", input: "steps" }), sampler({}), NODES)).toEqual(
    [],
  );
});

test("only names that a fix offers are taken", () => {
  expect(named("use 'a', 'b' or 'c', or install the plugin that has it")).toEqual(["a", "b", "c"]);
  expect(named("link an output of type 'MODEL' to it")).toEqual([]);
  expect(named(null)).toEqual([]);
});
