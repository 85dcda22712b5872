/** Running a graph once for every combination of values: any input takes a list or a range. */

import { Plus, X } from "lucide-react";
import { useMemo, useState } from "react";
import type { JsonValue } from "../api/json";
import type { Range, Sweep } from "../api/types";
import { useCatalogue } from "../app/catalogue";
import { useTab } from "../app/store";
import { closeDialog, openPanel } from "../live/desk";
import { queueRun } from "../live/submit";
import {
  type Axis,
  byLine,
  type Candidate,
  candidates,
  countOf,
  firstRuns,
  hintOf,
  jobsOf,
  MOST_JOBS,
  readValues,
} from "../live/sweeps";
import { Button, type Choice, Dialog, IconButton, Segmented } from "../theme";

type Mode = "product" | "zip";

const MODES: Choice<Mode>[] = [
  { value: "product", label: "Every combination" },
  { value: "zip", label: "In step" },
];
const PREVIEWED = 5;

export function SweepDialog() {
  const document = useTab((tab) => tab.document);
  const catalogue = useCatalogue();
  const all = useMemo(() => candidates(document, catalogue), [document, catalogue]);
  const [axes, setAxes] = useState<Axis[]>(() => firstAxes(all));
  const [mode, setMode] = useState<Mode>("product");
  const [sending, setSending] = useState(false);
  const sweep = sweepOf(axes, all, mode);
  const count = sweep ? jobsOf(sweep) : 0;
  const free = all.find((candidate) => !axes.some((axis) => axis.key === candidate.key));

  const submit = async () => {
    if (!sweep || count === 0) return;
    setSending(true);
    const jobs = await queueRun({ sweep });
    setSending(false);
    if (jobs.length === 0) return;
    closeDialog();
    openPanel("queue");
  };

  return (
    <Dialog
      title="Sweep"
      description="Try several values: the graph runs once for each combination. Steps that do not change are computed once."
      size="medium"
      onClose={closeDialog}
      footer={
        <>
          <Button onClick={closeDialog}>Cancel</Button>
          <Button
            kind="primary"
            busy={sending}
            disabled={count === 0 || count > MOST_JOBS}
            onClick={() => void submit()}
          >
            {count === 1 ? "Queue 1 run" : `Queue ${count.toLocaleString("en")} runs`}
          </Button>
        </>
      }
    >
      {all.length === 0 && <p className="column-note">This graph has no input whose value could be changed.</p>}
      <div className="sweep">
        {axes.map((axis, index) => (
          <AxisRow
            key={axis.key}
            axis={axis}
            all={all}
            taken={axes.map((each) => each.key)}
            onChange={(changed) => setAxes(axes.map((each, at) => (at === index ? changed : each)))}
            onRemove={axes.length > 1 ? () => setAxes(axes.filter((_, at) => at !== index)) : undefined}
          />
        ))}
        <div className="sweep-tools">
          <Button
            icon={<Plus />}
            disabled={!free}
            onClick={() => free && setAxes([...axes, { key: free.key, text: String(free.value ?? "") }])}
          >
            Another input
          </Button>
          {axes.length > 1 && (
            <Segmented label="How values meet" value={mode} choices={MODES} onChange={(value) => setMode(value)} />
          )}
        </div>
        <Preview sweep={sweep} count={count} axes={axes.length} />
      </div>
    </Dialog>
  );
}

interface AxisRowProps {
  axis: Axis;
  all: Candidate[];
  taken: string[];
  onChange(axis: Axis): void;
  onRemove: (() => void) | undefined;
}

function AxisRow({ axis, all, taken, onChange, onRemove }: AxisRowProps) {
  const candidate = all.find((each) => each.key === axis.key);
  if (!candidate) return null;
  const read = readValues(candidate.schema, axis.text);
  const error = "error" in read && axis.text.trim() ? read.error : undefined;
  const id = `sweep-${axis.key}`;
  return (
    <fieldset className="sweep-axis">
      <legend className="visually-hidden">{candidate.label}</legend>
      <select
        className="input"
        aria-label="Input"
        value={axis.key}
        onChange={(event) => onChange({ key: event.target.value, text: "" })}
      >
        {all
          .filter((each) => each.key === axis.key || !taken.includes(each.key))
          .map((each) => (
            <option key={each.key} value={each.key}>
              {each.label}
            </option>
          ))}
      </select>
      <Values candidate={candidate} axis={axis} id={id} error={error} onChange={onChange} />
      <span className="sweep-count">{"values" in read ? `${countOf(read.values)} values` : ""}</span>
      {onRemove && (
        <IconButton label={`Remove ${candidate.label}`} onClick={onRemove}>
          <X />
        </IconButton>
      )}
      {error && (
        <p id={`${id}-error`} className="sweep-error">
          {error}
        </p>
      )}
    </fieldset>
  );
}

interface ValuesProps {
  candidate: Candidate;
  axis: Axis;
  id: string;
  error: string | undefined;
  onChange(axis: Axis): void;
}

function Values({ candidate: { schema }, axis, id, error, onChange }: ValuesProps) {
  const shared = {
    className: "input",
    "aria-label": "Values to try",
    "aria-invalid": error !== undefined,
    "aria-describedby": error === undefined ? undefined : `${id}-error`,
    placeholder: hintOf(schema),
    value: axis.text,
    onChange: (event: { target: { value: string } }) => onChange({ key: axis.key, text: event.target.value }),
  };
  if (!byLine(schema)) return <input type="text" {...shared} />;
  const offered = schema.widget === "toggle" ? ["true", "false"] : (schema.options ?? []);
  return (
    <div className="sweep-lines">
      <textarea rows={3} {...shared} />
      {offered.length > 0 && (
        <details>
          <summary>Choose from {offered.length}</summary>
          <Options offered={offered} text={axis.text} onChange={(text) => onChange({ key: axis.key, text })} />
        </details>
      )}
    </div>
  );
}

function Options({ offered, text, onChange }: { offered: string[]; text: string; onChange(text: string): void }) {
  const lines = text.split("\n").filter(Boolean);
  return (
    <div className="sweep-options">
      {offered.map((option) => (
        <label key={option}>
          <input
            type="checkbox"
            checked={lines.includes(option)}
            onChange={(event) => {
              const rest = lines.filter((line) => line !== option);
              onChange((event.target.checked ? [...rest, option] : rest).join("\n"));
            }}
          />
          {option}
        </label>
      ))}
    </div>
  );
}

function Preview({ sweep, count, axes }: { sweep: Sweep | undefined; count: number; axes: number }) {
  if (!sweep) return <p className="column-note">Write the values of each input to see what will run.</p>;
  if (count === 0) return <p className="sweep-error">In step, every input needs equally many values.</p>;
  if (count > MOST_JOBS)
    return <p className="sweep-error">{count.toLocaleString("en")} runs are too many; a sweep holds 10,000.</p>;
  const runs = firstRuns(sweep, PREVIEWED);
  const sizes = Object.values(sweep.values).map(countOf);
  return (
    <div className="sweep-preview" aria-live="polite">
      <p>
        <strong>{count === 1 ? "1 run" : `${count.toLocaleString("en")} runs`}</strong>
        {axes > 1 && sweep.mode === "product" && ` = ${sizes.join(" × ")}`}
      </p>
      <table>
        <thead>
          <tr>
            {Object.keys(sweep.values).map((key) => (
              <th key={key} scope="col">
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.map(([, value]) => String(value)).join("\u0000")}>
              {run.map(([key, value]) => (
                <td key={key}>{String(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {count > runs.length && <p className="column-note">and {(count - runs.length).toLocaleString("en")} more</p>}
    </div>
  );
}

/** A seed or the number of steps is what people try first. */
function firstAxes(all: Candidate[]): Axis[] {
  const liked = ["seed", "cfg", "steps", "text"];
  const first = liked.map((name) => all.find((each) => each.schema.name === name)).find(Boolean) ?? all[0];
  return first ? [{ key: first.key, text: "" }] : [];
}

function sweepOf(axes: Axis[], all: Candidate[], mode: Mode): Sweep | undefined {
  const values: Record<string, Range | JsonValue[]> = {};
  for (const axis of axes) {
    const schema = all.find((each) => each.key === axis.key)?.schema;
    const read = schema && readValues(schema, axis.text);
    if (!read || "error" in read) return undefined;
    values[axis.key] = read.values;
  }
  return Object.keys(values).length > 0 ? { mode, values } : undefined;
}
