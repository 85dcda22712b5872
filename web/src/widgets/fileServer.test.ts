import { expect, test } from "vitest";
import { Client } from "../api/client";
import { fileServer } from "./fileServer";

/** A server that says this of every model file. */
function saying(metadata: unknown, status = 200) {
  const asked: string[] = [];
  const server = fileServer(
    new Client(async (address) => {
      asked.push(address);
      return new Response(JSON.stringify(metadata), { status });
    }),
  );
  return { server, asked };
}

test("a checkpoint's file tells the names of what it knows", async () => {
  const { server, asked } = saying({ "darkroom.classes": '["red apple", "banana"]', format: "pt" });
  expect(await server.classes("my models/food.safetensors")).toEqual(["red apple", "banana"]);
  expect(asked).toEqual(["/view_metadata/checkpoints?filename=my+models%2Ffood.safetensors"]);
});

test.each([
  [{ format: "pt" }, 200],
  [{ "darkroom.classes": "not JSON" }, 200],
  [{ "darkroom.classes": '{"a": 1}' }, 200],
  [{ "darkroom.classes": "[1, 2]" }, 200],
  [{ error: { code: "no_such_file", message: "It says nothing about itself." } }, 404],
])("a file that does not say offers no words: %j", async (metadata, status) => {
  expect(await saying(metadata, status).server.classes("a.safetensors")).toEqual([]);
});
