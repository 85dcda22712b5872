// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { toHtml } from "./Markdown";

test("marks become elements", () => {
  expect(toHtml("# A title\n\nwith **weight**")).toContain("<strong>weight</strong>");
});

test.each([
  "<script>alert(1)</script>",
  '<img src=x onerror="alert(1)">',
  '<a href="javascript:alert(1)">here</a>',
  "[here](javascript:alert(1))",
  '<svg onload="alert(1)"></svg>',
  '<form action="https://elsewhere.example"><input></form>',
  '<p style="position:fixed">over everything</p>',
  "![seen](https://elsewhere.example/pixel.png)",
])("nothing in %s can act or tell", (text) => {
  const holder = document.createElement("div");
  holder.innerHTML = toHtml(text);
  const elements = [...holder.querySelectorAll("*")];
  expect(elements.filter((element) => !["P", "STRONG", "A"].includes(element.tagName))).toEqual([]);
  expect(elements.flatMap((element) => [...element.attributes])).toEqual([]);
});

test("a link opens beside the editor and says nothing of it", () => {
  const html = toHtml("[paper](https://arxiv.org/abs/2112.10752)");
  expect(html).toContain('target="_blank"');
  expect(html).toContain("noopener");
});
