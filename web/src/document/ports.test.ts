import { describe, expect, it } from "vitest";
import { CATALOGUE, TEXT_TO_IMAGE } from "../testing/documents";
import {
  align,
  autoLayout,
  distribute,
  foldGrowing,
  freeName,
  growthOf,
  hintsOf,
  idStem,
  inputSchema,
  linksOf,
  mayConnect,
  placedNodes,
  planNode,
  readLink,
  readWorkflow,
  typesFit,
  withPositions,
} from ".";

describe("types", () => {
  it.each([
    ["IMAGE", "IMAGE", true],
    ["IMAGE", "LATENT", false],
    ["*", "LATENT", true],
    ["IMAGE", "*", true],
    ["IMAGE,MASK", "MASK", true],
    ["IMAGE, MASK", "LATENT,VAE", false],
    ["INT,*", "LATENT", true],
    ["COMBO", "STRING", false],
  ])("%s into %s: %s", (source, wanted, fits) => {
    expect(typesFit(source, wanted)).toBe(fits);
  });

  it("decide with loops what a wire may connect", () => {
    const may = (node: string, output: string, to: string, input: string) =>
      mayConnect(TEXT_TO_IMAGE, CATALOGUE, { node, output }, { node: to, input });
    expect(may("model", "vae", "develop", "vae")).toBe(true);
    expect(may("model", "clip", "develop", "vae")).toBe(false);
    expect(may("sampler", "latent", "sampler", "latent_image")).toBe(false);
  });
});

describe("links", () => {
  it("are read in both forms; digits are an output's index", () => {
    expect(readLink({ from: "a.b" })).toEqual({ node: "a", output: "b" });
    expect(readLink({ from: "a.0" })).toEqual({ node: "a", output: 0 });
    expect(readLink({ from: ["a b.c", 1] })).toEqual({ node: "a b.c", output: 1 });
  });

  it("are told from wrapped literals", () => {
    expect(linksOf({ value: [{ from: "a.b" }] as never })).toEqual([]);
  });
});

describe("ids", () => {
  it("are readable and new", () => {
    expect(idStem("KSampler")).toBe("sampler");
    expect(idStem("VAEDecode")).toBe("vae_decode");
    expect(idStem("LoadImage")).toBe("load_image");
    expect(freeName("sampler", { sampler: 1, sampler_2: 1 })).toBe("sampler_3");
    expect(freeName("sampler_2", { sampler_2: 1 })).toBe("sampler_3");
  });
});

describe("growing inputs", () => {
  const schema = inputSchema(CATALOGUE.get("Row"), "images.4");
  it("are found by their places, and grow in the way the node writes them", () => {
    expect(schema?.name).toBe("images");
    if (!schema) return;
    expect(growthOf({ type: "Row" }, schema)).toEqual({ to: { input: "images" }, grows: true });
    const dotted = { type: "Row", inputs: { "images.0": { from: "a.image" } } };
    expect(growthOf(dotted, schema)).toEqual({ to: { input: "images.1" }, grows: false });
  });

  it("written place by place are folded into a list on opening", () => {
    const inputs = { "images.0": { from: "a.image" }, "images.1": { from: "b.image" } };
    const folded = foldGrowing({ darkroom: 1, nodes: { row: { type: "Row", inputs } } }, CATALOGUE);
    expect(folded.nodes.row?.inputs).toEqual({ images: [{ from: "a.image" }, { from: "b.image" }] });
  });

  it("always have one free port more", () => {
    const plan = planNode({ type: "Row", inputs: { images: [{ from: "a.image" }] } }, CATALOGUE.get("Row"));
    expect(plan.inputs.map((port) => [port.id, port.linked])).toEqual([
      ["images.0", true],
      ["images.1", false],
    ]);
  });
});

describe("hints", () => {
  it("tell of what is missing, of unknown types and of links that do not fit", () => {
    const document = {
      darkroom: 1 as const,
      nodes: {
        model: { type: "LoadCheckpoint", inputs: { ckpt_name: "x" } },
        decode: { type: "VAEDecode", inputs: { vae: { from: "model.clip" } } },
        gone: { type: "Nowhere" },
        lost: { type: "SaveImage", inputs: { images: { from: "nobody.image" } } },
        muted: { type: "VAEDecode", mode: "mute" as const },
      },
    };
    const found = hintsOf(document, CATALOGUE).map(({ code, node, input }) => `${code} ${node}.${input ?? ""}`);
    expect(found.sort()).toEqual([
      "dangling_link lost.images",
      "link_type decode.vae",
      "missing_input decode.samples",
      "unknown_node gone.",
    ]);
    expect(hintsOf(TEXT_TO_IMAGE, CATALOGUE)).toEqual([]);
  });
});

describe("laying out", () => {
  it("puts every node right of what feeds it, and none over another", () => {
    const bare = withPositions({ darkroom: 1, nodes: TEXT_TO_IMAGE.nodes }, CATALOGUE);
    const placed = placedNodes(bare, CATALOGUE);
    const at = new Map(placed.map((box) => [box.id, box]));
    for (const [id, node] of Object.entries(bare.nodes)) {
      for (const link of Object.values(node.inputs ?? {}).flatMap(linksOf)) {
        const source = at.get(readLink(link).node);
        expect((source?.position[0] ?? 0) + (source?.size[0] ?? 0)).toBeLessThan(at.get(id)?.position[0] ?? 0);
      }
    }
    for (const a of placed) {
      for (const b of placed) {
        if (a.id >= b.id) continue;
        const apart = [0, 1].some((axis) => {
          const [p, q, s, t] = [a.position[axis], b.position[axis], a.size[axis], b.size[axis]] as [
            number,
            number,
            number,
            number,
          ];
          return p + s <= q || q + t <= p;
        });
        expect(apart, `${a.id} and ${b.id}`).toBe(true);
      }
    }
  });

  it("leaves a document whose nodes have places as it is", () => {
    expect(withPositions(TEXT_TO_IMAGE, CATALOGUE)).toBe(TEXT_TO_IMAGE);
  });

  it("keeps the corner of what is laid out", () => {
    const boxes = [{ id: "prompt", position: [80, 160] as [number, number], size: [240, 100] as [number, number] }];
    expect(autoLayout(TEXT_TO_IMAGE, boxes)).toEqual({ prompt: [80, 160] });
  });
});

describe("lining up", () => {
  const box = (id: string, x: number, width: number) => ({
    id,
    position: [x, 0] as [number, number],
    size: [width, 10] as [number, number],
  });
  it("brings edges together", () => {
    const boxes = [box("a", 0, 100), box("b", 50, 200)];
    expect(align(boxes, "right")).toEqual({ a: [150, 0], b: [50, 0] });
    expect(align(boxes, "centre")).toEqual({ a: [75, 0], b: [25, 0] });
    expect(align([box("a", 0, 1)], "left")).toEqual({});
  });
  it("leaves the same space between all", () => {
    const spread = distribute([box("a", 0, 10), box("b", 12, 10), box("c", 100, 20)], "horizontal");
    expect(spread).toEqual({ a: [0, 0], b: [50, 0], c: [100, 0] });
  });
});

describe("reading a document", () => {
  it("fills in what its shape leaves open", () => {
    const read = readWorkflow({ darkroom: 1, nodes: {}, subgraphs: { a: { name: "A" } }, form: {}, later: 1 });
    expect(read.subgraphs?.a).toEqual({ name: "A", nodes: {}, inputs: [], outputs: [] });
    expect(read.form).toEqual({ inputs: [], outputs: [] });
    expect(read).toHaveProperty("later", 1);
  });
  it.each([[null], [[]], [{}], [{ darkroom: 2, nodes: {} }], [{ darkroom: 1, nodes: { a: {} } }]])(
    "refuses %j with a sentence",
    (json) => {
      expect(() => readWorkflow(json)).toThrow(/^This .*\.$/);
    },
  );
});
