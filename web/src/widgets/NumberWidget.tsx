/**
 * A number: typed (also as an expression), stepped with the arrow keys, or dragged sideways.
 * Shift makes a step a tenth, Ctrl ten of them.
 */

import { Minus, Plus } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { Frame } from "./Frame";
import { format, isWhole, numberOf, readNumber, stepped } from "./numbers";
import { shownValue, type WidgetProps } from "./types";
import { useFieldText } from "./useFieldText";
import { useScrub } from "./useScrub";

export function NumberWidget(props: WidgetProps) {
  const [message, setMessage] = useState("");
  return (
    <Frame of={props} kind="number" message={message}>
      {(control) => <NumberField {...props} control={control} onMessage={setMessage} />}
    </Frame>
  );
}

interface NumberFieldProps extends WidgetProps {
  control: object;
  onMessage(message: string): void;
}

/** The field alone, also used beside a slider. */
export function NumberField({ control, onMessage, ...props }: NumberFieldProps) {
  const { schema, onChange, disabled } = props;
  const input = useRef<HTMLInputElement>(null);
  const number = numberOf(shownValue(props));
  const field = useFieldText(number === null ? "" : format(number));
  /** The value while keys or a drag change it, before the last of them. */
  const moving = useRef<number | bigint | null>(null);
  const start = useRef<number | bigint>(0);

  const from = () => moving.current ?? number ?? numberOf(schema.default) ?? schema.minimum ?? 0;
  const move = (value: number | bigint) => {
    moving.current = value;
    onMessage("");
    onChange(value, false);
  };
  const endMove = () => {
    if (moving.current !== null) onChange(moving.current, true);
    moving.current = null;
  };
  const finish = () => {
    endMove();
    const typed = field.finish();
    if (typed === null) return;
    const settled = readNumber(typed, schema);
    onMessage(settled ? settled.message : `"${typed}" is no number.`);
    if (settled && settled.value !== number) onChange(settled.value, true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps = stepsOf(event, isWhole(schema));
    if (event.key === "Enter") finish();
    else if (event.key === "Escape" && field.typing) {
      event.stopPropagation();
      field.finish();
    } else if (steps !== 0) {
      event.preventDefault();
      const typed = field.typing ? readNumber(field.finish() ?? "", schema) : null;
      move(stepped(typed?.value ?? from(), steps, schema));
    }
  };
  const scrub = useScrub({
    divisible: !isWhole(schema),
    onMove(steps) {
      if (moving.current === null) start.current = from();
      move(stepped(start.current, steps, schema));
    },
    onEnd: endMove,
    onClick() {
      input.current?.focus();
      input.current?.select();
    },
  });
  const stepButton = (steps: number) => () => {
    finish();
    onMessage("");
    onChange(stepped(from(), steps, schema), true);
  };

  return (
    <span className="number-field">
      <button type="button" tabIndex={-1} aria-hidden="true" disabled={disabled} onClick={stepButton(-1)}>
        <Minus />
      </button>
      <input
        {...control}
        ref={input}
        role="spinbutton"
        aria-valuenow={number === null ? undefined : Number(number)}
        aria-valuetext={number === null ? undefined : format(number)}
        aria-valuemin={schema.minimum === null ? undefined : Number(schema.minimum)}
        aria-valuemax={schema.maximum === null ? undefined : Number(schema.maximum)}
        className="field"
        inputMode="decimal"
        autoComplete="off"
        spellCheck={false}
        placeholder={schema.required ? "number" : "none"}
        value={field.text}
        onChange={(event) => field.type(event.target.value)}
        onKeyDown={onKeyDown}
        onKeyUp={endMove}
        onBlur={finish}
        {...(disabled || field.typing ? {} : { ...scrub, onPointerDown: unlessFocused(scrub.onPointerDown) })}
      />
      <button type="button" tabIndex={-1} aria-hidden="true" disabled={disabled} onClick={stepButton(1)}>
        <Plus />
      </button>
    </span>
  );
}

/** How many steps a key goes. A whole number has no tenth of a step. */
function stepsOf(event: KeyboardEvent, whole: boolean): number {
  const way = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key] ?? 0;
  if (event.key.startsWith("Page")) return way;
  if (event.shiftKey) return whole ? way : way / 10;
  return event.ctrlKey || event.metaKey ? way * 10 : way;
}

/** Once the cursor is in the field, a drag selects text. */
function unlessFocused<E extends { currentTarget: EventTarget }>(handler: (event: E) => void): (event: E) => void {
  return (event) => {
    if (document.activeElement !== event.currentTarget) handler(event);
  };
}
