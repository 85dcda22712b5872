import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { types } from "../../scripts/types.mjs";

test("the types are those of the server's models", async () => {
  const written = await readFile(new URL("./types.ts", import.meta.url), "utf8");
  expect(written, "run `npm run types`").toBe(await types());
});
