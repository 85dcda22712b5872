/** What can be done about a problem with one click. Pure. */

import type { Problem } from "../api/types";
import { type Change, type NodeSchema, type Workflow, withScope } from "../document";
import { type Place, placeOf } from "./inside";

export interface Fix {
  title: string;
  changes: Change[];
}

/** The fixes of a problem, the likeliest first; none when it takes thought. */
export function fixesOf(problem: Problem, document: Workflow, catalogue: ReadonlyMap<string, NodeSchema>): Fix[] {
  const place = problem.node === null ? undefined : placeOf(document, problem.node);
  if (!place) return [];
  switch (problem.code) {
    case "unknown_node":
      return named(problem.fix).map((type) => ({
        title: `Use ${type}`,
        changes: [replaceType(document, place, type)],
      }));
    case "value_out_of_range":
      return clamped(problem, place, catalogue);
    case "unknown_input":
      return problem.input === null
        ? []
        : [{ title: "Remove it", changes: [setInput(place, problem.input, undefined)] }];
    case "dangling_link":
    case "link_type":
    case "unknown_output":
      return problem.input === null ? [] : [{ title: "Remove the wire", changes: [disconnect(place, problem.input)] }];
    case "not_running":
      return [
        { title: "Set it to run", changes: [{ type: "setMode", ...scope(place), nodes: [place.node], mode: "run" }] },
      ];
    default:
      return choices(problem, place, catalogue);
  }
}

/** Another of the input's own options, when the server names the ones that were meant. */
function choices(problem: Problem, place: Place, catalogue: ReadonlyMap<string, NodeSchema>): Fix[] {
  const input = inputOf(problem, place, catalogue);
  if (!input || problem.input === null || !(input.widget === "combo" || input.widget === "file")) return [];
  const name = problem.input;
  return named(problem.fix).map((value) => ({ title: `Use ${value}`, changes: [setInput(place, name, value)] }));
}

function clamped(problem: Problem, place: Place, catalogue: ReadonlyMap<string, NodeSchema>): Fix[] {
  const input = inputOf(problem, place, catalogue);
  const value = problem.input === null ? undefined : place.found.inputs?.[problem.input];
  if (!input || problem.input === null || (typeof value !== "number" && typeof value !== "bigint")) return [];
  const low = input.minimum !== null && value < input.minimum ? input.minimum : undefined;
  const high = input.maximum !== null && value > input.maximum ? input.maximum : undefined;
  const bound = low ?? high;
  const near = bound ?? nearestMultiple(Number(value), input.multiple_of);
  return near === undefined ? [] : [{ title: `Set to ${near}`, changes: [setInput(place, problem.input, near)] }];
}

function nearestMultiple(value: number, of: number | null): number | undefined {
  return of === null || value % of === 0 ? undefined : Math.max(of, Math.round(value / of) * of);
}

/** The names in quotes that a fix offers: `use 'KSampler' or 'SamplerCustom'`. */
export function named(fix: string | null): string[] {
  if (!fix?.startsWith("use ")) return [];
  const offer = fix.split(", or install")[0] ?? "";
  return [...offer.matchAll(/'([^']+)'/g)].map((match) => match[1] as string).slice(0, 3);
}

function inputOf(problem: Problem, place: Place, catalogue: ReadonlyMap<string, NodeSchema>) {
  return catalogue.get(place.found.type)?.inputs.find((input) => input.name === problem.input);
}

function setInput(place: Place, input: string, value: string | number | undefined): Change {
  return { type: "setInput", ...scope(place), node: place.node, input, value };
}

function disconnect(place: Place, input: string): Change {
  return { type: "disconnect", ...scope(place), to: { node: place.node, input } };
}

function replaceType(document: Workflow, place: Place, type: string): Change {
  const edited = withScope(document, scope(place).in, (inside) => ({
    ...inside,
    nodes: { ...inside.nodes, [place.node]: { ...place.found, type, version: null } },
  }));
  return { type: "replace", document: edited };
}

/** The subgraph whose inside is edited. */
function scope(place: Place): { in?: string } {
  const inner = place.path.at(-1)?.subgraph;
  return inner === undefined ? {} : { in: inner };
}
