/** What a user's thousands of edits must never do: undo to anything but the start. */

import { describe, expect, it } from "vitest";
import { CATALOGUE, randomNumbers, TEXT_TO_IMAGE } from "../testing/documents";
import {
  apply,
  type Change,
  catalogueOf,
  copy,
  freeName,
  idStem,
  layOut,
  paste,
  perform,
  redo,
  type Scope,
  scopeOf,
  startHistory,
  subgraphOf,
  undo,
  type Workflow,
  wiresOf,
} from ".";

type Random = () => number;

function one<T>(random: Random, list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)];
}

function some<T>(random: Random, list: readonly T[], share: number): T[] {
  return list.filter(() => random() < share);
}

/** One edit that might come next, of every kind there is; null when there is nothing for it to work on. */
function randomEdit(random: Random, document: Workflow): Change[] | null {
  const subgraphs = Object.keys(document.subgraphs ?? {});
  const id = random() < 0.3 ? one(random, subgraphs) : undefined;
  const scope = scopeOf(document, id) as Scope;
  const inside = id === undefined ? {} : { in: id };
  const ids = Object.keys(scope.nodes);
  const node = one(random, ids) ?? "nobody";
  const point = (): [number, number] => [Math.floor(random() * 2000), Math.floor(random() * 2000)];
  const types = [...catalogueOf(document, CATALOGUE).values()];
  const wires = wiresOf(scope);
  const wire = one(random, wires);
  const groups = scope.layout?.groups?.length ?? 0;
  const notes = scope.layout?.notes?.length ?? 0;
  const edits: (() => Change[] | null)[] = [
    () => {
      const type = one(random, types);
      if (!type || ids.length > 60) return null;
      const name = freeName(idStem(type.name), scope.nodes);
      return [
        {
          type: "addNodes",
          ...inside,
          nodes: { [name]: { type: type.name } },
          boxes: { [name]: { position: point() } },
        },
      ];
    },
    () => [{ type: "removeNodes", ...inside, nodes: some(random, ids, 0.1) }],
    () => [{ type: "renameNode", ...inside, node, to: freeName(`${node}x`.slice(0, 12), scope.nodes) }],
    () => [
      {
        type: "setInput",
        ...inside,
        node,
        input: one(random, ["text", "seed", "width"]) ?? "",
        value: random() < 0.8 ? Math.floor(random() * 100) : undefined,
      },
    ],
    () => [{ type: "setTitle", ...inside, node, title: random() < 0.5 ? "A title" : null }],
    () => [
      {
        type: "setMode",
        ...inside,
        nodes: some(random, ids, 0.2),
        mode: one(random, ["run", "mute", "bypass"] as const) ?? "run",
      },
    ],
    () => [{ type: "freeze", ...inside, node, key: random() < 0.5 ? "abc" : null }],
    () => [
      {
        type: "editBoxes",
        ...inside,
        nodes: some(random, ids, 0.2),
        patch: { collapsed: random() < 0.5 ? true : undefined, colour: "#abc" },
      },
    ],
    () => {
      const from = one(random, ids);
      const output = one(random, ["image", "latent", "model", 0] as const);
      if (!from || output === undefined) return null;
      const grows = random() < 0.3;
      return [
        {
          type: "connect",
          ...inside,
          from: { node: from, output },
          to: { node, input: grows ? "images" : "model", ...(grows && { index: Math.floor(random() * 4) }) },
          grows,
        },
      ];
    },
    () => (wire ? [{ type: "disconnect", ...inside, to: wire.to }] : null),
    () => (wire ? [{ type: "setWirePoints", ...inside, to: wire.to, points: random() < 0.8 ? [point()] : [] }] : null),
    () => [
      {
        type: "move",
        ...inside,
        nodes: Object.fromEntries(some(random, ids, 0.2).map((each) => [each, point()])),
        groups: { 0: point() },
        notes: { 0: point() },
      },
    ],
    () => [{ type: "resizeNode", ...inside, node, size: random() < 0.8 ? point() : null }],
    () =>
      groups < 6 ? [{ type: "addGroup", ...inside, group: { title: "g", position: point(), size: point() } }] : null,
    () => (notes < 6 ? [{ type: "addNote", ...inside, note: { text: "n", position: point() } }] : null),
    () => [{ type: "editGroup", ...inside, index: Math.floor(random() * 3), patch: { title: "h" } }],
    () => [{ type: "editNote", ...inside, index: Math.floor(random() * 3), patch: { text: "m", colour: undefined } }],
    () => [{ type: "removeMarks", ...inside, groups: [Math.floor(random() * 3)], notes: [Math.floor(random() * 3)] }],
    () => {
      if (subgraphs.length > 8) return null;
      const name = freeName("part", document.subgraphs ?? {});
      return [
        {
          type: "makeSubgraph",
          ...inside,
          nodes: some(random, ids, 0.2),
          id: name,
          name,
          instance: freeName(name, scope.nodes),
        },
      ];
    },
    () => {
      const instances = ids.filter((each) => subgraphOf(scope.nodes[each]?.type ?? "") !== undefined);
      const instance = one(random, instances);
      return instance && ids.length < 80 ? [{ type: "unpackSubgraph", ...inside, node: instance }] : null;
    },
    () => {
      const which = one(random, subgraphs);
      const inputs = which && document.subgraphs?.[which]?.inputs;
      return which && inputs
        ? [{ type: "editSubgraph", id: which, patch: { name: "renamed", inputs: some(random, inputs, 0.7) } }]
        : null;
    },
    () => {
      const which = one(random, subgraphs);
      return which ? [{ type: "removeSubgraph", id: which }] : null;
    },
    () => [{ type: "setForm", form: random() < 0.3 ? null : { inputs: [`${node}.text`], outputs: [node] } }],
    () => [{ type: "setProperties", patch: { name: `name ${Math.floor(random() * 9)}` } }],
    () =>
      ids.length > 60
        ? null
        : paste(document, id, copy(document, id, { nodes: some(random, ids, 0.1) }), point(), random() < 0.5).changes,
    () => (random() < 0.05 ? layOut(document, CATALOGUE, id) : null),
  ];
  return one(random, edits)?.() ?? null;
}

describe("a long session", () => {
  it("of 10,000 random edits undone gives the start byte for byte, and redone the end", () => {
    const random = randomNumbers(7);
    const start = JSON.stringify(TEXT_TO_IMAGE);
    let history = startHistory(TEXT_TO_IMAGE);
    let edits = 0;
    const checkpoints: [number, string][] = [];
    while (edits < 10_000) {
      const changes = randomEdit(random, history.document);
      if (!changes) continue;
      edits += 1;
      history = perform(history, changes);
      if (edits % 1000 === 0) checkpoints.push([history.past.length, JSON.stringify(history.document)]);
    }
    expect(history.past.length).toBeGreaterThan(5000);
    const end = JSON.stringify(history.document);
    const marks = new Map(checkpoints);
    while (history.past.length > 0) {
      const mark = marks.get(history.past.length);
      if (mark !== undefined) expect(JSON.stringify(history.document)).toBe(mark);
      history = undo(history);
    }
    expect(JSON.stringify(history.document)).toBe(start);
    while (history.future.length > 0) history = redo(history);
    expect(JSON.stringify(history.document)).toBe(end);
  }, 60_000);

  it("keeps every change's inverse exact, and every link's two ends there", () => {
    const random = randomNumbers(11);
    let document: Workflow = TEXT_TO_IMAGE;
    for (let step = 0; step < 600; step++) {
      for (const change of randomEdit(random, document) ?? []) {
        const before = JSON.stringify(document);
        const { document: after, inverse } = apply(document, change);
        expect(JSON.stringify(document)).toBe(before);
        expect(JSON.stringify(apply(after, inverse).document)).toBe(before);
        document = after;
      }
      const scopes: Scope[] = [document, ...Object.values(document.subgraphs ?? {})];
      for (const scope of scopes) {
        const dangling = wiresOf(scope).filter((wire) => !Object.hasOwn(scope.nodes, wire.from.node));
        expect(dangling).toEqual([]);
        const keys = new Set(wiresOf(scope).map((wire) => wire.key));
        expect(Object.keys(scope.layout?.wires ?? {}).filter((key) => !keys.has(key))).toEqual([]);
        expect(Object.keys(scope.layout?.nodes ?? {}).filter((id) => !Object.hasOwn(scope.nodes, id))).toEqual([]);
      }
    }
  }, 60_000);
});
