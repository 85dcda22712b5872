// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { Workflow } from "../document";
import { createTab, isDirty } from "./store";

const GRAPH: Workflow = { darkroom: 1, nodes: { sheet: { type: "DrawImage", inputs: { width: 64 } } } };

function placed(document: Workflow): Workflow {
  return document.layout ? document : { ...document, layout: { nodes: { sheet: { position: [8, 8] } } } };
}

test("what showing a graph adds is no edit", () => {
  const tab = createTab(GRAPH);
  tab.getState().prepare(placed);
  expect(tab.getState().document.layout?.nodes?.sheet?.position).toEqual([8, 8]);
  expect(isDirty(tab.getState())).toBe(false);
});

test("what was done in the form before the graph was shown is undone, and done again, in one step", () => {
  const tab = createTab(GRAPH);
  tab.getState().dispatch({ type: "setInput", node: "sheet", input: "width", value: 96 });
  tab.getState().prepare(placed);
  tab.getState().undo();
  expect(tab.getState().document.nodes.sheet?.inputs).toEqual({ width: 64 });
  tab.getState().prepare(placed); // as the canvas does with every document
  tab.getState().redo();
  expect(tab.getState().document.nodes.sheet?.inputs).toEqual({ width: 96 });
  expect(tab.getState().document.layout).toBeDefined();
});
