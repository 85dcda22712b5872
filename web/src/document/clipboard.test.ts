import { describe, expect, it } from "vitest";
import { TEXT_TO_IMAGE } from "../testing/documents";
import { apply, type Change, copy, EMPTY_WORKFLOW, paste, readClip, type Workflow } from ".";

function edited(document: Workflow, changes: Change[]): Workflow {
  return changes.reduce((now, change) => apply(now, change).document, document);
}

const clip = copy(TEXT_TO_IMAGE, undefined, { nodes: ["sampler", "develop"] });

describe("pasting", () => {
  it("gives new ids and keeps the wires between the copies, with their points", () => {
    const { changes, nodes } = paste(TEXT_TO_IMAGE, undefined, clip, [600, 500]);
    const pasted = edited(TEXT_TO_IMAGE, changes);
    expect(nodes).toEqual(["sampler_2", "develop_2"]);
    expect(pasted.nodes.develop_2?.inputs).toEqual({ samples: { from: "sampler_2.latent" } });
    expect(pasted.layout?.nodes?.sampler_2?.position).toEqual([600, 500]);
    expect(pasted.layout?.wires?.["develop_2.samples"]).toEqual([[850, 540]]);
  });

  it("keeps the wires from outside when asked to, where those nodes are", () => {
    const here = edited(TEXT_TO_IMAGE, paste(TEXT_TO_IMAGE, undefined, clip, [0, 0], true).changes);
    expect(here.nodes.sampler_2?.inputs?.model).toEqual({ from: "model.model" });
    const elsewhere = edited(EMPTY_WORKFLOW, paste(EMPTY_WORKFLOW, undefined, clip, [0, 0], true).changes);
    expect(elsewhere.nodes.sampler?.inputs).toEqual({ seed: 1, steps: 30 });
  });

  it("goes through the system's clipboard as text", () => {
    expect(readClip(JSON.stringify(clip))).toEqual(clip);
    expect(readClip("a prompt about darkroom_clip")).toBeNull();
    expect(readClip('{"darkroom_clip": 1, "nodes": {"a": {}}}')).toBeNull();
    expect(readClip('{"darkroom_clip": 1')).toBeNull();
  });
});

describe("pasting a subgraph's instance", () => {
  const make: Change = { type: "makeSubgraph", nodes: ["sampler"], id: "part", name: "Part", instance: "part" };
  const made = apply(TEXT_TO_IMAGE, make).document;
  const instance = copy(made, undefined, { nodes: ["part"] });

  it("brings the definition along to another workflow", () => {
    const other = edited(EMPTY_WORKFLOW, paste(EMPTY_WORKFLOW, undefined, instance, [0, 0]).changes);
    expect(other.subgraphs?.part).toEqual(made.subgraphs?.part);
    expect(other.nodes.part?.type).toBe("subgraph:part");
  });

  it("uses the same definition where it is there already, and a new name where another one has it", () => {
    const here = edited(made, paste(made, undefined, instance, [0, 0]).changes);
    expect(Object.keys(here.subgraphs ?? {})).toEqual(["part"]);
    const changed = apply(made, { type: "editSubgraph", id: "part", patch: { name: "Other" } }).document;
    const both = edited(changed, paste(changed, undefined, instance, [0, 0]).changes);
    expect(Object.keys(both.subgraphs ?? {})).toEqual(["part", "part_2"]);
    expect(both.nodes.part_2?.type).toBe("subgraph:part_2");
  });
});
