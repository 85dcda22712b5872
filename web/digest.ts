/** What a build was made from, as one number: so that a test without Node can tell whether the build is current. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

const FILES = ["index.html", "package-lock.json", "tsconfig.json", "vite.config.ts", "digest.ts"];
const FOLDERS = ["src", "public"];

/** Writes `source.sha256` beside the build. `tests/web/test_build.py` computes the same. */
export function sourceDigest(root: string): Plugin {
  return {
    name: "source-digest",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "source.sha256", source: `${digest(root)}\n` });
    },
  };
}

function digest(root: string): string {
  const found = FOLDERS.flatMap((folder) => filesBelow(join(root, folder)));
  const names = [...FILES, ...found.map((path) => relative(root, path).split(sep).join("/"))];
  const total = createHash("sha256");
  for (const name of names.filter((each) => !isForTests(each)).sort()) {
    const content = readFileSync(join(root, name));
    total.update(`${name}\0${content.length}\0`);
    total.update(content);
  }
  return total.digest("hex");
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function isForTests(name: string): boolean {
  return /\.test\.tsx?$/.test(name) || name.startsWith("src/testing/");
}
