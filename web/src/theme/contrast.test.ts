import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrast } from "./contrast";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

/** The tokens of a theme: those of `:root` and those of its own block. */
function tokens(theme: string): Map<string, string> {
  const start = css.indexOf(`[data-theme="${theme}"]`);
  const block = css.slice(start, css.indexOf("\n}", start));
  return new Map(
    [...block.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
  );
}

const BACKGROUNDS = ["--bg", "--bg-raised", "--bg-sunken", "--surface", "--surface-hover", "--canvas", "--node"];
const READABLE = 4.5; // WCAG 2.2, 1.4.3
const VISIBLE = 3; // 1.4.11: borders of fields, focus rings, marks

const PAIRS: [string, string, number][] = [
  ...["--text", "--text-muted"].flatMap((text) =>
    [...BACKGROUNDS, "--surface-active", "--node-title"].map((on): [string, string, number] => [text, on, READABLE]),
  ),
  ...["--danger", "--warning", "--success", "--accent-ink"].flatMap((text) =>
    ["--bg", "--bg-raised", "--surface", "--surface-hover", "--node"].map((on): [string, string, number] => [
      text,
      on,
      READABLE,
    ]),
  ),
  ["--accent-text", "--accent", READABLE],
  ["--accent-text", "--accent-hover", READABLE],
  ["--danger-text", "--danger-solid", READABLE],
  ["--accent-ink", "--accent-soft", READABLE],
  ["--text", "--accent-soft", READABLE],
  ["--danger", "--danger-soft", READABLE],
  ["--text", "--danger-soft", READABLE],
  ["--warning", "--warning-soft", READABLE],
  ["--success", "--success-soft", READABLE],
  ...BACKGROUNDS.flatMap((on): [string, string, number][] => [
    ["--border-strong", on, VISIBLE],
    ["--focus", on, VISIBLE],
    ["--accent", on, VISIBLE],
  ]),
];

describe.each(["dark", "light"])("the %s theme", (theme) => {
  const colours = tokens(theme);
  const ratio = (one: string, other: string) => contrast(colours.get(one) ?? "", colours.get(other) ?? "");

  test.each(PAIRS)("%s on %s has a contrast of at least %d", (text, background, least) => {
    expect(ratio(text, background)).toBeGreaterThanOrEqual(least);
  });

  const ports = [...colours.keys()].filter((name) => name.startsWith("--port-"));

  test("names as many port colours as the other", () => {
    expect(ports.length).toBe(
      [...tokens(theme === "dark" ? "light" : "dark").keys()].filter((each) => each.startsWith("--port-")).length,
    );
    expect(ports.length).toBeGreaterThan(20);
  });

  test.each(ports)("%s can be read on a node and its title", (port) => {
    expect(ratio(port, "--node")).toBeGreaterThanOrEqual(READABLE);
    expect(ratio(port, "--node-title")).toBeGreaterThanOrEqual(READABLE);
    expect(ratio(port, "--canvas")).toBeGreaterThanOrEqual(READABLE);
  });
});

test("contrast agrees with the WCAG's own examples", () => {
  expect(contrast("#000000", "#ffffff")).toBe(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});
