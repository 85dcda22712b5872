import { expect, test } from "vitest";
import { find } from "./match";

const NAMES = ["sdxl/base.safetensors", "sd15/inpainting.safetensors", "base.ckpt", "abase.ckpt"];

test("without a query all names come, in their order", () => {
  expect(find("  ", NAMES, 10)).toEqual({ names: NAMES, more: 0 });
});

test("every word must be in the name, whatever its case", () => {
  expect(find("SD safe", NAMES, 10).names).toEqual(["sdxl/base.safetensors", "sd15/inpainting.safetensors"]);
  expect(find("sd nothing", NAMES, 10).names).toEqual([]);
});

test("the start of a name counts more than the start of a word, and that more than the middle", () => {
  expect(find("base", NAMES, 10).names).toEqual(["base.ckpt", "sdxl/base.safetensors", "abase.ckpt"]);
});

test("what is cut off is counted", () => {
  expect(find("", NAMES, 1)).toEqual({ names: [NAMES[0]], more: 3 });
});
