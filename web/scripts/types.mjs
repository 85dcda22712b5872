/**
 * Make src/api/types.ts from src/api/schemas.json, which `python -m web.scripts.schemas` writes.
 *
 *   npm run types        write the file; `src/api/types.test.ts` fails when it is stale
 */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const source = new URL("../src/api/schemas.json", import.meta.url);
const target = new URL("../src/api/types.ts", import.meta.url);

const BANNER = `/**
 * What the server sends and takes. Made by scripts/types.mjs from the Python models; not written by hand.
 */

import type { JsonValue } from "../document/types";
`;

/** The text of types.ts. */
export async function types() {
  const schema = JSON.parse(await readFile(source, "utf8"));
  const text = await compile(schema, "Schemas", {
    additionalProperties: false,
    bannerComment: BANNER,
    declareExternallyReferenced: true,
    unreachableDefinitions: true,
    ignoreMinAndMaxItems: true,
    style: { printWidth: 120, bracketSpacing: true },
  });
  return text
    .replace("export type JsonValue = JsonValue;\n", "")
    .replace("export interface Schemas {\n  [k: string]: unknown;\n}\n", "")
    .replace(/ \* @(min|max)Items \d+\n/g, "")
    .replace(/ *\/\*\*\n *\*\/\n/g, "")
    .replace(/\/\*\*\n \* This interface was referenced by `Schemas`'s JSON-Schema\n \* via the `definition` "\w+"\.\n \*\/\n/g, "")
    .replace(/ \*\n \* This interface was referenced by `Schemas`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(target, await types());
