import { describe, expect, it } from "vitest";
import { CATALOGUE } from "../testing/documents";
import { findNodes, score } from "./fuzzy";

const first = (query: string) => findNodes(query, CATALOGUE.values())[0]?.name;

describe("searching nodes", () => {
  it("finds them by letters of their names", () => {
    expect(first("ksampler")).toBe("KSampler");
    expect(first("vaedec")).toBe("VAEDecode");
    expect(first("save im")).toBe("SaveImage");
  });

  it("finds them by the names they have elsewhere", () => {
    expect(first("CheckpointLoaderSimple")).toBe("LoadCheckpoint");
  });

  it("finds nothing for what nothing is called", () => {
    expect(findNodes("qqqzzz", CATALOGUE.values())).toEqual([]);
  });

  it("gives all by title when nothing is asked", () => {
    const titles = findNodes("", CATALOGUE.values()).map((node) => node.title);
    expect(titles).toEqual([...titles].sort((a, b) => a.localeCompare(b)));
    expect(titles).toHaveLength(CATALOGUE.size);
  });
});

describe("a score", () => {
  it("is higher for the beginning of a word, for letters in a row, and zero when one is missing", () => {
    expect(score("im", "Load Image")).toBeGreaterThan(score("im", "Claim"));
    expect(score("lat", "Empty Latent")).toBeGreaterThan(score("lat", "Load a text"));
    expect(score("x", "Image")).toBe(0);
  });
});
