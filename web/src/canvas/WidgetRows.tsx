/** The widgets of a node, each in the row that its plan gives it. */

import { memo } from "react";
import { here, schemasHere } from "../app/actions";
import {
  checkpointOf,
  type InputSchema,
  type JsonValue,
  literalOf,
  type Problem,
  type WidgetRow as Row,
  type SeedMode,
  settingOf,
  writeLiteral,
} from "../document";
import { classes } from "../theme";
import { Widget } from "../widgets/Widget";
import type { SceneNode } from "./scene";

interface RowsProps {
  item: SceneNode;
  problems: readonly Problem[];
  promoted: ReadonlyMap<string, string>;
  /** False: values as plain text. */
  real: boolean;
}

export function WidgetRows({ item, problems, promoted, real }: RowsProps) {
  return item.plan.widgets.map((row) => (
    <WidgetRow
      key={row.schema.name}
      id={item.id}
      row={row}
      value={literalOf(item.node.inputs?.[row.schema.name])}
      problem={problems.find((problem) => problem.input === row.schema.name)}
      seedMode={item.box?.seeds?.[row.schema.name]}
      seeds={item.box?.seeds}
      promoted={promoted.has(row.schema.name)}
      real={real}
    />
  ));
}

interface RowProps {
  id: string;
  row: Row;
  value: JsonValue | undefined;
  problem: Problem | undefined;
  seedMode: SeedMode | undefined;
  seeds: Record<string, SeedMode> | undefined;
  promoted: boolean;
  real: boolean;
}

const WidgetRow = memo(
  function WidgetRow({ id, row, value, problem, seedMode, seeds, promoted, real }: RowProps) {
    const { schema } = row;
    const look = classes(
      "node-row",
      `node-row-${schema.widget}`,
      row.linked && "node-row-linked",
      promoted && "node-row-promoted",
    );
    return (
      <div className={look} style={{ top: row.y, height: row.height }}>
        {row.linked ? (
          <span className="node-row-name">{schema.name.replaceAll("_", " ")}</span>
        ) : real ? (
          <Widget
            schema={schema}
            value={value}
            compact
            nodeId={id}
            onChange={(next, final) => change(id, schema, next, final)}
            sibling={(name) => siblingOf(id, name)}
            checkpoint={() => checkpointOf(here().scope, schemasHere(), id)}
            {...(problem && { problem })}
            {...(schema.widget === "seed" && {
              seedMode: seedMode ?? "fixed",
              onSeedMode: (mode: SeedMode) => changeSeedMode(id, schema.name, mode, seeds),
            })}
          />
        ) : (
          <PlainRow schema={schema} value={value} />
        )}
      </div>
    );
  },
  // A node that only moves has new rows with the same figures.
  (a, b) =>
    a.id === b.id &&
    a.value === b.value &&
    a.problem === b.problem &&
    a.seedMode === b.seedMode &&
    a.seeds === b.seeds &&
    a.promoted === b.promoted &&
    a.real === b.real &&
    a.row.schema === b.row.schema &&
    a.row.y === b.row.y &&
    a.row.height === b.row.height &&
    a.row.linked === b.row.linked,
);

/** Looks like the widget and costs next to nothing. */
function PlainRow({ schema, value }: { schema: InputSchema; value: JsonValue | undefined }) {
  const shown = value === undefined ? schema.default : value;
  return (
    <div className={classes("node-plain", schema.widget === "multiline" && "node-plain-tall")}>
      <span>{schema.name.replaceAll("_", " ")}</span>
      <span>{plainly(shown)}</span>
    </div>
  );
}

/** A value in a few letters. */
function plainly(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return value.length === 1 ? "1 box" : `${value.length} boxes`;
  return value === null || value === undefined ? "" : String(value);
}

/** What another input of the same node says now. */
function siblingOf(id: string, name: string): JsonValue | undefined {
  const node = here().scope.nodes[id];
  return settingOf(node, schemasHere().get(node?.type ?? ""), name);
}

function change(id: string, schema: InputSchema, value: JsonValue, final = true): void {
  const { tab, inside } = here();
  const edit = { type: "setInput", ...inside, node: id, input: schema.name, value: writeLiteral(value) } as const;
  // What is typed or dragged in one go is undone in one go.
  tab.dispatch(edit, `input ${inside.in ?? ""} ${id}.${schema.name}`);
  if (final) tab.endDeed();
}

function changeSeedMode(id: string, input: string, mode: SeedMode, seeds: Record<string, SeedMode> | undefined): void {
  const { tab, inside } = here();
  tab.dispatch({ type: "editBoxes", ...inside, nodes: [id], patch: { seeds: { ...seeds, [input]: mode } } });
}
