import { describe, expect, it } from "vitest";
import { TEXT_TO_IMAGE } from "../testing/documents";
import { close, perform, redo, startHistory, undo } from ".";

const move = (x: number) => ({ type: "move", nodes: { prompt: [x, 0] as [number, number] } }) as const;

describe("a drag", () => {
  it("is one step, however many moves it takes", () => {
    let history = startHistory(TEXT_TO_IMAGE);
    for (const x of [310, 320, 330]) history = perform(history, move(x), "drag 1");
    expect(history.past).toHaveLength(1);
    expect(undo(history).document).toEqual(TEXT_TO_IMAGE);
    expect(redo(undo(history)).document.layout?.nodes?.prompt?.position).toEqual([330, 0]);
  });

  it("that ends where it began leaves no step", () => {
    let history = startHistory(TEXT_TO_IMAGE);
    for (const x of [310, 300]) history = perform(history, move(x), "drag 1");
    expect(history.past).toHaveLength(0);
  });

  it("after another one is a step of its own", () => {
    let history = perform(startHistory(TEXT_TO_IMAGE), move(310), "drag 1");
    history = perform(close(history), move(320), "drag 1");
    history = perform(history, move(330), "drag 2");
    expect(history.past).toHaveLength(3);
  });
});

describe("undo and redo", () => {
  it("do nothing at the ends", () => {
    const history = startHistory(TEXT_TO_IMAGE);
    expect(undo(history)).toBe(history);
    expect(redo(history)).toBe(history);
  });

  it("lose what was undone when something else is done", () => {
    const history = perform(undo(perform(startHistory(TEXT_TO_IMAGE), move(310))), move(400));
    expect(history.future).toHaveLength(0);
  });

  it("take several changes of one deed back together", () => {
    const both = [move(310), { type: "setTitle", node: "prompt", title: "Words" } as const];
    const history = perform(startHistory(TEXT_TO_IMAGE), both);
    expect(undo(history).document).toEqual(TEXT_TO_IMAGE);
  });
});
