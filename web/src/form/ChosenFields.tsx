/** The inputs on the page, in their order: dragged, or moved with buttons and Alt+arrows; each with its words. */

import { ArrowDown, ArrowUp, GripVertical, X } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { useCatalogue } from "../app/catalogue";
import { useTab } from "../app/store";
import type { Form } from "../document";
import { classes, IconButton } from "../theme";
import { type Field, fieldsOf } from "./model";
import { moved, reworded } from "./order";

interface ChosenFieldsProps {
  form: Form;
  onEdit(patch: Partial<Form>, deed?: string): void;
  onEnd(): void;
}

export function ChosenFields({ form, onEdit, onEnd }: ChosenFieldsProps) {
  const document = useTab((tab) => tab.document);
  const catalogue = useCatalogue();
  const fields = fieldsOf(document, form, catalogue);
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const move = (entry: string, to: string | undefined) => {
    if (to === undefined) return;
    const inputs = moved(form.inputs, entry, to);
    onEdit({ inputs });
    const label = fields.find((field) => field.entry === entry)?.label ?? entry;
    setSaid(`${label} is now number ${inputs.indexOf(entry) + 1} of ${inputs.length}.`);
  };
  const remove = (entry: string) => onEdit({ inputs: form.inputs.filter((each) => each !== entry) });
  if (fields.length === 0) return null;
  return (
    <section>
      <h2>The page</h2>
      <p className="form-note">Drag to change the order, or press Alt with an arrow key.</p>
      <ol ref={list} className="form-chosen">
        {fields.map((field, index) => (
          <Chosen
            key={field.entry}
            field={field}
            form={form}
            over={over === field.entry && dragged !== field.entry}
            onDrag={setDragged}
            onOver={setOver}
            onDrop={() => {
              if (dragged !== null && dragged !== field.entry) move(dragged, field.entry);
              setDragged(null);
              setOver(null);
            }}
            {...(index > 0 && { onUp: () => move(field.entry, fields[index - 1]?.entry) })}
            {...(index < fields.length - 1 && { onDown: () => move(field.entry, fields[index + 1]?.entry) })}
            onRemove={() => remove(field.entry)}
            onWords={(which, words) =>
              onEdit({ [which]: reworded(form[which], field.entry, words) }, `form ${which} ${field.entry}`)
            }
            onEnd={onEnd}
          />
        ))}
      </ol>
      <span role="status" className="visually-hidden">
        {said}
      </span>
    </section>
  );
}

interface ChosenProps {
  field: Field;
  form: Form;
  /** Something is dragged over it. */
  over: boolean;
  onDrag(entry: string | null): void;
  onOver(entry: string | null): void;
  onDrop(): void;
  onUp?(): void;
  onDown?(): void;
  onRemove(): void;
  onWords(which: "labels" | "hints", words: string): void;
  onEnd(): void;
}

function Chosen(props: ChosenProps) {
  const { field, form, over, onDrag, onOver, onDrop, onUp, onDown, onRemove, onWords, onEnd } = props;
  const { entry, label, schema } = field;
  const onKeyDown = (event: KeyboardEvent) => {
    const go = event.altKey ? { ArrowUp: onUp, ArrowDown: onDown }[event.key] : undefined;
    if (!go) return;
    event.preventDefault();
    event.stopPropagation();
    go();
  };
  return (
    <li
      className={classes("form-item", over && "form-item-over")}
      onKeyDown={onKeyDown}
      onDragOver={(event) => {
        event.preventDefault();
        onOver(entry);
      }}
      onDrop={(event) => {
        event.preventDefault();
        onDrop();
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a handle for the mouse; buttons and keys do the same */}
      <span
        className="form-grip"
        draggable
        onDragStart={(event) => {
          event.dataTransfer.setData("text/plain", label);
          event.dataTransfer.effectAllowed = "move";
          onDrag(entry);
        }}
        onDragEnd={() => {
          onDrag(null);
          onOver(null);
        }}
      >
        <GripVertical aria-hidden="true" />
      </span>
      <span className="form-words">
        <input
          className="input"
          aria-label={`Label of ${label}`}
          placeholder={label}
          value={form.labels?.[entry] ?? ""}
          onChange={(event) => onWords("labels", event.target.value)}
          onBlur={onEnd}
        />
        <input
          className="input"
          aria-label={`Help for ${label}`}
          placeholder={schema.help || "A few words of help"}
          value={form.hints?.[entry] ?? ""}
          onChange={(event) => onWords("hints", event.target.value)}
          onBlur={onEnd}
        />
      </span>
      <span className="form-item-tools">
        <IconButton label={`Move ${label} up`} size="small" disabled={!onUp} onClick={onUp}>
          <ArrowUp />
        </IconButton>
        <IconButton label={`Move ${label} down`} size="small" disabled={!onDown} onClick={onDown}>
          <ArrowDown />
        </IconButton>
        <IconButton label={`Take ${label} off the page`} size="small" onClick={onRemove}>
          <X />
        </IconButton>
      </span>
    </li>
  );
}
