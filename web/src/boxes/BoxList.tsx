/** The boxes as a list: names and figures, for the keyboard, a screen reader, and those who like figures. */

import { Plus, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { Button, classes, IconButton } from "../theme";
import { hueClass } from "./BoxMarks";
import { type LabelledBox, type Rect, withFigure } from "./geometry";

interface BoxListProps {
  boxes: readonly LabelledBox[];
  chosen: number;
  most: number;
  /** Labels to offer. */
  offered: readonly string[];
  /** Mark the boxes that have no label. */
  strict: boolean;
  onChoose(index: number): void;
  /** `deed`: changes of one name in a row are one step. */
  onChange(index: number, box: LabelledBox, deed: string): void;
  onRemove(index: number): void;
  onAdd(): void;
}

const FIGURES: readonly { name: keyof Rect; label: string }[] = [
  { name: "x", label: "Left" },
  { name: "y", label: "Top" },
  { name: "width", label: "Width" },
  { name: "height", label: "Height" },
];

export function BoxList({ boxes, chosen, most, offered, strict, onChoose, onChange, onRemove, onAdd }: BoxListProps) {
  const id = useId();
  return (
    <section className="boxes-list" aria-label="Boxes">
      <datalist id={`${id}labels`}>
        {offered.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
      <ol>
        {boxes.map((box, index) => {
          const nameless = strict && box.label.trim() === "";
          const called = `box ${index + 1}`;
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a box is known by its place in the list
            <li key={index} className={classes("boxes-item", index === chosen && "boxes-item-chosen")}>
              <span className="boxes-row">
                <span className={classes("boxes-number", hueClass(box.label))} aria-hidden="true">
                  {index + 1}
                </span>
                <input
                  className="input"
                  data-box-label={index}
                  onFocus={() => index !== chosen && onChoose(index)}
                  aria-label={`Label of ${called}`}
                  aria-invalid={nameless || undefined}
                  placeholder="What is in it?"
                  list={`${id}labels`}
                  maxLength={200}
                  autoComplete="off"
                  value={box.label}
                  onChange={(event) => onChange(index, { ...box, label: event.target.value }, `label ${index}`)}
                />
                <IconButton label={`Delete ${called}`} onClick={() => onRemove(index)}>
                  <Trash2 />
                </IconButton>
              </span>
              {!nameless && isUnknown(box.label, offered) && (
                <p className="boxes-unknown">The model has not learnt this word; it knows {examples(offered)}.</p>
              )}
              {index === chosen && (
                <fieldset className="boxes-figures">
                  <legend className="visually-hidden">Place of {called}, in percent of the picture</legend>
                  {FIGURES.map(({ name, label }) => (
                    <Figure
                      key={name}
                      label={label}
                      share={box[name]}
                      onChange={(share) => onChange(index, withFigure(box, name, share), `${name} ${index}`)}
                    />
                  ))}
                </fieldset>
              )}
            </li>
          );
        })}
      </ol>
      {boxes.length === 0 && (
        <p className="boxes-note">Draw a box for each thing in the picture, and say what it is.</p>
      )}
      <Button icon={<Plus />} disabled={boxes.length >= most} onClick={onAdd}>
        Add a box
      </Button>
      {boxes.length >= most && <p className="boxes-note">That is all: {most} boxes at most.</p>}
    </section>
  );
}

function isUnknown(label: string, offered: readonly string[]): boolean {
  const word = label.trim().toLowerCase();
  return word !== "" && offered.length > 0 && !offered.some((each) => each.toLowerCase().startsWith(word));
}

function examples(offered: readonly string[]): string {
  return offered.length > 3 ? `${offered.slice(0, 3).join(", ")} and ${offered.length - 3} more` : offered.join(", ");
}

/** A share of the picture in percent; what is typed counts as soon as it is a number. */
function Figure({ label, share, onChange }: { label: string; share: number; onChange(share: number): void }) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label>
      <span>{label}</span>
      <input
        type="number"
        className="input"
        min={0}
        max={100}
        step={1}
        inputMode="decimal"
        value={typed ?? String(Math.round(share * 1000) / 10)}
        onChange={(event) => {
          setTyped(event.target.value);
          const percent = event.target.valueAsNumber;
          if (Number.isFinite(percent)) onChange(percent / 100);
        }}
        onBlur={() => setTyped(null)}
      />
      <span aria-hidden="true">%</span>
    </label>
  );
}
