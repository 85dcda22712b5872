import { expect, test } from "vitest";
import { type Selected, weigh } from "./weights";

/** `|` marks the ends of the selection, or the cursor. */
function marked(text: string): Selected {
  const [before = "", inside, after] = text.split("|");
  if (after === undefined) return { text: before + inside, start: before.length, end: before.length };
  return { text: before + inside + after, start: before.length, end: before.length + (inside ?? "").length };
}

function show({ text, start, end }: Selected): string {
  return `${text.slice(0, start)}|${text.slice(start, end)}|${text.slice(end)}`;
}

test.each([
  ["a red| apple", 0.05, "a (|red|:1.05) apple"],
  ["a |red apple| here", 0.1, "a (|red apple|:1.1) here"],
  ["a | red |apple", 0.05, "a  (|red|:1.05) apple"],
  ["a (re|d:1.05) apple", 0.05, "a (|red|:1.1) apple"],
  ["a (|red|:1.05) apple", -0.05, "a |red| apple"],
  ["a |(red:1.05)| apple", 0.05, "a (|red|:1.1) apple"],
  ["a (soft, warm| light:1.2), b", 0.05, "a (|soft, warm light|:1.25), b"],
  ["((a:1.2) b|:1.3)", 0.1, "(|(a:1.2) b|:1.4)"],
  ["|red", -0.05, "(|red|:0.95)"],
])("%s by %d", (before, by, after) => {
  expect(show(weigh(marked(before), by))).toBe(after);
});

test("up and down again leaves the text as it was", () => {
  const start = marked("a red| apple, (soft:1.3)");
  const up = weigh(weigh(start, 0.05), 0.05);
  expect(weigh(weigh(up, -0.05), -0.05).text).toBe(start.text);
});

test("nothing is weighed where there is no word", () => {
  const empty = marked("a , | , b");
  expect(weigh(empty, 0.05)).toBe(empty);
});

test("parentheses without a weight are not taken for one", () => {
  expect(weigh(marked("(a re|d b)"), 0.05).text).toBe("(a (red:1.05) b)");
});
