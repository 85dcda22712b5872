/** What is around every widget: its label, its help, what is wrong with it, and the fix as a button. */

import { CircleAlert } from "lucide-react";
import { type ReactNode, useId } from "react";
import { Button, classes, Tooltip } from "../theme";
import { namedValues } from "./fixes";
import { plainWords, readable, type WidgetProps } from "./types";

/** The attributes that tie a control to its label, help and problem. */
export interface ControlAttributes {
  id: string;
  disabled: boolean | undefined;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FrameProps {
  of: WidgetProps;
  kind: string;
  /** A passing remark, such as that a value was moved into its range. */
  message?: string;
  /** The label goes above the control also on a node. */
  stacked?: boolean;
  /** Things beside the label. */
  extra?: ReactNode;
  children(control: ControlAttributes): ReactNode;
}

export function Frame({ of, kind, message = "", stacked = false, extra, children }: FrameProps) {
  const { schema, problem, compact, disabled } = of;
  const id = useId();
  const help = plainWords(of.help ?? schema.help);
  const helpShown = !compact && help !== "";
  const describedBy = [helpShown && `${id}help`, problem && `${id}problem`, message && `${id}message`].filter(Boolean);
  const control: ControlAttributes = {
    id,
    disabled,
    "aria-describedby": describedBy.join(" ") || undefined,
    "aria-invalid": problem ? true : undefined,
  };
  const label = (
    <label className="widget-label" id={`${id}label`} htmlFor={id}>
      {of.label ?? readable(schema.name)}
    </label>
  );
  return (
    <div
      className={classes(
        "widget",
        `widget-${kind}`,
        compact ? "widget-compact nodrag" : "widget-full",
        stacked && "widget-stacked",
        problem && "widget-invalid",
        disabled && "widget-disabled",
      )}
    >
      <div className="widget-box">
        <span className="widget-head">
          {compact && problem && <CircleAlert className="widget-alert" aria-hidden="true" />}
          {compact && help ? <Tooltip text={help}>{label}</Tooltip> : label}
          {extra}
        </span>
        {helpShown && (
          <span className="widget-help" id={`${id}help`}>
            {help}
          </span>
        )}
        {children(control)}
      </div>
      <span role="status" className={message ? "widget-message" : "visually-hidden"} id={`${id}message`}>
        {message}
      </span>
      {problem && <ProblemNote id={`${id}problem`} of={of} />}
    </div>
  );
}

function ProblemNote({ id, of }: { id: string; of: WidgetProps }) {
  const { problem, schema, onChange, disabled } = of;
  if (!problem) return null;
  const values = namedValues(problem, schema);
  return (
    <div className="widget-problem">
      <CircleAlert aria-hidden="true" />
      <span id={id}>
        {problem.message}
        {problem.fix && values.length === 0 && ` ${sentence(problem.fix)}`}
      </span>
      {values.length > 0 && (
        <span className="widget-fixes">
          {values.map((value) => (
            <Button key={String(value)} size="small" disabled={disabled} onClick={() => onChange(value, true)}>
              Use {String(value)}
            </Button>
          ))}
        </span>
      )}
    </div>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
