// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { catalogueStore } from "../app/catalogue";
import { activeTab } from "../app/store";
import type { NodeSchema } from "../document";
import catalogueJson from "../testing/catalogue.json";
import { input, STEPS } from "../testing/schemas";
import { factsOf, linked } from "./facts";
import { HelpPanel } from "./HelpPanel";

afterEach(cleanup);

test("the facts of an input are its range, choices and default", () => {
  expect(factsOf(STEPS)).toEqual(["1 to 10000", "default 20"]);
  expect(factsOf(input({ name: "clip", type: "CLIP", widget: null, required: false }))).toEqual(["optional"]);
  expect(factsOf(input({ name: "way", options: ["a", "b", "c", "d", "e", "f", "g", "h"], default: "a" }))).toEqual([
    "a, b, c, d, e, f and 2 more",
    'default "a"',
  ]);
});

test("a paper that is named becomes a link", () => {
  expect(linked("See arXiv:2112.10752, sec. 3.")).toBe(
    "See [arXiv:2112.10752](https://arxiv.org/abs/2112.10752), sec. 3.",
  );
});

test("the panel teaches while nothing is selected, and explains what is", () => {
  catalogueStore.getState().put(catalogueJson.nodes as unknown as NodeSchema[]);
  const tab = activeTab().getState();
  tab.dispatch({ type: "addNodes", nodes: { sampler: { type: "KSampler" } } });
  const { rerender } = render(<HelpPanel />);
  expect(screen.getByText(/Select a node/)).toBeTruthy();

  tab.select({ nodes: new Set(["sampler"]) });
  rerender(<HelpPanel />);
  expect(screen.getByRole("heading", { name: "KSampler" })).toBeTruthy();
  expect(screen.getByText("latent image")).toBeTruthy();
  expect(screen.getByText(/default 20/)).toBeTruthy();
});
