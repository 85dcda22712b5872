import { expect, test } from "vitest";
import { begin, redo, step, undo } from "./history";

test("what is undone can be done again", () => {
  let history = step(step(begin(1), 2), 3);
  history = undo(history);
  expect(history.now).toBe(2);
  expect(undo(history).now).toBe(1);
  expect(redo(history).now).toBe(3);
});

test("at either end nothing happens", () => {
  const history = begin("a");
  expect(undo(history)).toBe(history);
  expect(redo(history)).toBe(history);
});

test("a new step after undo forgets what was undone", () => {
  const history = step(undo(step(begin(1), 2)), 5);
  expect(redo(history).now).toBe(5);
  expect(undo(history).now).toBe(1);
});

test("steps of one deed are undone at once, and what lies between parts them", () => {
  let history = step(step(step(begin(0), 1, "move 1"), 2, "move 1"), 3, "move 2");
  history = undo(history);
  expect(history.now).toBe(2);
  expect(undo(history).now).toBe(0);
});

test("null and nothing are values like others", () => {
  const history = step(begin<number | null | undefined>(null), undefined);
  expect(undo(history).now).toBeNull();
});
