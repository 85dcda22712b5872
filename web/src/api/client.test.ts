import { expect, test } from "vitest";
import { Client } from "./client";
import { ApiError } from "./errors";
import type { Fetch } from "./transport";

/** A server that answers with what it is given, and keeps what it was asked. */
function server(...answers: Response[]) {
  const asked: { url: string; init: RequestInit }[] = [];
  const fetch: Fetch = async (url, init = {}) => {
    asked.push({ url, init });
    const answer = answers.shift();
    if (!answer) throw new TypeError("fetch failed");
    return answer;
  };
  return { asked, client: new Client(fetch) };
}

const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init);
const headerOf = (init: RequestInit, name: string) => new Headers(init.headers).get(name);

test("the catalogue is asked for with its tag, and kept while it is unchanged", async () => {
  const catalogue = { nodes: [], plugins: [], ready: true };
  const { asked, client } = server(
    json(catalogue, { headers: { ETag: '"one"' } }),
    new Response(null, { status: 304 }),
    json({ ...catalogue, ready: false }, { headers: { ETag: '"two"' } }),
  );
  const first = await client.nodes();
  expect(await client.nodes()).toBe(first);
  expect(headerOf(asked[1]?.init ?? {}, "If-None-Match")).toBe('"one"');
  expect((await client.nodes()).ready).toBe(false);
  expect(client.catalogueEtag).toBe('"two"');
});

test("a refused graph is an error with every problem", async () => {
  const problems = [{ code: "missing_input", message: "It needs a model.", node: "sampler", input: "model" }];
  const error = { code: "workflow_problems", message: "The workflow has a problem.", problems };
  const { client } = server(json({ error }, { status: 422 }));
  const thrown = await client.submit({ workflow: { darkroom: 1, nodes: {} } }, "key").catch((each) => each);
  expect(thrown).toBeInstanceOf(ApiError);
  expect(thrown).toMatchObject({ status: 422, code: "workflow_problems", problems });
});

test("a stale save gives both versions", async () => {
  const current = { version: "7", workflow: { darkroom: 1, nodes: {} } };
  const { asked, client } = server(
    json({ error: { code: "stale", message: "Saved since.", problems: [] }, current }, { status: 409 }),
  );
  const thrown = await client.save("cat", { darkroom: 1, nodes: {} }, { version: "6" }).catch((each) => each);
  expect(thrown.conflict).toBe(true);
  expect(thrown.details).toMatchObject({ current });
  expect(headerOf(asked[0]?.init ?? {}, "If-Match")).toBe('"6"');
});

test("a first save asks that nothing be there", async () => {
  const { asked, client } = server(json({ version: "1" }));
  expect(await client.save("my cats/black", { darkroom: 1, nodes: {} }, "new")).toBe("1");
  expect(asked[0]?.url).toBe("/v1/workflows/my%20cats/black");
  expect(headerOf(asked[0]?.init ?? {}, "If-None-Match")).toBe("*");
});

test("a server that is away is an error of its own", async () => {
  const { client } = server();
  const thrown = await client.queue().catch((each) => each);
  expect(thrown).toMatchObject({ status: 0, code: "unreachable", unreachable: true });
});

test("a proxy's page is still an error with its status", async () => {
  const { client } = server(new Response("<html>Bad gateway</html>", { status: 502 }));
  expect(await client.queue().catch((each) => each)).toMatchObject({ status: 502, code: "http_502" });
});

test("a seed beyond 2^53 is sent exactly", async () => {
  const { asked, client } = server(json({ jobs: [] }));
  const seed = 2n ** 64n - 1n;
  await client.submit({ workflow: { darkroom: 1, nodes: { s: { type: "KSampler", inputs: { seed } } } } }, "key");
  expect(String(asked[0]?.init.body)).toContain('"seed":18446744073709551615');
});

test("file names keep their slashes and nothing else", () => {
  const { client } = server();
  const file = { filename: "a b#1.png", subfolder: "cats", type: "output" };
  expect(client.fileUrl(file, 256)).toBe("/v1/files/output/cats/a%20b%231.png?thumbnail=256");
});
