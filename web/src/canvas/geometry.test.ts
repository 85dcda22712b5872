import { describe, expect, it } from "vitest";
import { type Point, scopeOf } from "../document";
import { CATALOGUE, TEXT_TO_IMAGE } from "../testing/documents";
import { candidates } from "./connecting";
import { distanceTo, linesCross, passes, placeOnWire, sampleWire, type WireStyle, wirePath } from "./geometry";
import { buildScene, outputPoint, sceneRect } from "./scene";

const STYLES: WireStyle[] = ["curved", "straight", "stepped"];
const WIRE: Point[] = [
  [0, 0],
  [200, 100],
  [400, 0],
];

describe("wires", () => {
  it.each(STYLES)("go through all their points: %s", (style) => {
    const line = sampleWire(WIRE, style);
    for (const point of WIRE) expect(distanceTo(line, point).distance).toBeLessThan(0.01);
    expect(wirePath(WIRE, style).startsWith("M0 0")).toBe(true);
  });

  it.each(STYLES)("are cut by a line across them and by no other: %s", (style) => {
    const line = sampleWire(WIRE, style);
    const across: Point[] = [
      [100, -200],
      [100, 300],
    ];
    const beside: Point[] = [
      [-50, -200],
      [-50, 300],
    ];
    expect(linesCross(across, line)).toBe(true);
    expect(linesCross(beside, line)).toBe(false);
  });

  it.each(STYLES)("take a new point between the ones it was set among: %s", (style) => {
    expect(placeOnWire(WIRE, style, [60, 20])).toBe(0);
    expect(placeOnWire(WIRE, style, [350, 20])).toBe(1);
  });
});

describe("a long wire", () => {
  const line = sampleWire(
    [
      [0, 0],
      [4000, 3000],
    ],
    "straight",
  ).flatMap((point, index, all): Point[] => {
    const next = all[index + 1];
    return next ? [point, [(point[0] + next[0]) / 2, (point[1] + next[1]) / 2]] : [point];
  });

  it("passes the boxes that it leads through and not all that its own box covers", () => {
    expect(passes(line, { x: 1900, y: 1400, width: 200, height: 200 })).toBe(true);
    expect(passes(line, { x: 3000, y: 0, width: 500, height: 500 })).toBe(false);
  });
});

describe("a scene", () => {
  const scene = buildScene(TEXT_TO_IMAGE, CATALOGUE, "curved");

  it("leads every wire from the port it starts at", () => {
    expect(scene.wires.size).toBe(10);
    const source = scene.nodes.get("sampler");
    expect(scene.wires.get("develop.samples")?.points[0]).toEqual(source && outputPoint(source, "latent"));
    expect(scene.wires.get("develop.samples")?.points[1]).toEqual([850, 40]);
  });

  it("made anew after an edit keeps what did not change", () => {
    const scope = scopeOf(TEXT_TO_IMAGE) ?? TEXT_TO_IMAGE;
    const layout = { ...scope.layout, nodes: { ...scope.layout?.nodes, prompt: { position: [310, 0] as Point } } };
    const next = buildScene({ ...scope, layout }, CATALOGUE, "curved", scene);
    expect(next.nodes.get("sampler")).toBe(scene.nodes.get("sampler"));
    expect(next.nodes.get("prompt")?.plan).toBe(scene.nodes.get("prompt")?.plan);
    expect(next.wires.get("save.images")).toBe(scene.wires.get("save.images"));
    expect(next.wires.get("prompt.clip")).not.toBe(scene.wires.get("prompt.clip"));
  });

  it("is as large as what lies in it", () => {
    expect(sceneRect(scene, new Map())).toMatchObject({ x: 0, y: 0, width: 1440 });
    expect(sceneRect(scene, new Map(), [])).toBeNull();
  });

  it("offers a loose end the ports that fit and close no loop", () => {
    const keys = candidates(scene, {
      kind: "output",
      end: { node: "sampler", output: "latent" },
      type: "LATENT",
    }).map((each) => each.key.split("\n").slice(1).join("."));
    expect(keys).toEqual(["develop.samples"]);
    const feeding = candidates(scene, { kind: "input", end: { node: "sampler", input: "model" }, type: "MODEL" });
    expect(feeding.map((each) => each.item.id)).toEqual(["model"]);
  });
});
