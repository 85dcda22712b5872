/** The number that all noise is drawn from, exact to the last of its 20 digits, and what becomes of it after a run. */

import { ArrowUpRight, Dices, Lock, Shuffle } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import type { SeedMode } from "../document";
import { IconButton, MenuButton } from "../theme";
import { evaluate } from "./expression";
import { Frame } from "./Frame";
import { asSeed, randomSeed, seedOf, seedRange } from "./seed";
import { shownValue, type WidgetProps } from "./types";
import { useFieldText } from "./useFieldText";

const MODES: Record<SeedMode, { name: string; says: string; Icon: typeof Lock }> = {
  fixed: { name: "fixed", says: "Keep this seed", Icon: Lock },
  random: { name: "random", says: "A new one after each run", Icon: Shuffle },
  increment: { name: "increment", says: "One more after each run", Icon: ArrowUpRight },
};

export function SeedWidget(props: WidgetProps) {
  const { schema, onChange, disabled, seedMode = "fixed", onSeedMode } = props;
  const [message, setMessage] = useState("");
  const seed = seedOf(shownValue(props));
  const field = useFieldText(seed === null ? "" : String(seed));
  const [least, most] = seedRange(schema);
  const put = (wanted: bigint) => {
    const settled = wanted < least ? least : wanted > most ? most : wanted;
    setMessage(settled === wanted ? "" : `Seeds go from ${least} to ${most}.`);
    if (settled !== seed) onChange(asSeed(settled), true);
  };
  const finish = () => {
    const typed = field.finish();
    if (typed === null) return;
    const wanted = readSeed(typed);
    if (wanted === null) setMessage(`"${typed}" is no whole number.`);
    else put(wanted);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const way = { ArrowUp: 1n, ArrowDown: -1n }[event.key];
    if (event.key === "Enter") finish();
    else if (event.key === "Escape" && field.typing) {
      event.stopPropagation();
      field.finish();
    } else if (way !== undefined) {
      event.preventDefault();
      finish();
      put((seed ?? least) + way);
    }
  };
  const { Icon, name } = MODES[seedMode];
  return (
    <Frame of={props} kind="seed" message={message}>
      {(control) => (
        <span className="seed-row">
          <input
            {...control}
            className="field"
            inputMode="numeric"
            autoComplete="off"
            spellCheck={false}
            placeholder={schema.required ? "seed" : "none"}
            value={field.text}
            onChange={(event) => field.type(event.target.value)}
            onKeyDown={onKeyDown}
            onBlur={finish}
          />
          <IconButton
            label="New random seed"
            size="small"
            disabled={disabled}
            onClick={() => onChange(randomSeed(schema), true)}
          >
            <Dices />
          </IconButton>
          {onSeedMode && (
            <MenuButton
              iconOnly
              size="small"
              label={`After each run: ${name}`}
              icon={<Icon />}
              disabled={disabled}
              entries={(Object.keys(MODES) as SeedMode[]).map((mode) => ({
                label: MODES[mode].says,
                checked: mode === seedMode,
                onSelect: () => onSeedMode(mode),
              }))}
            />
          )}
        </span>
      )}
    </Frame>
  );
}

/** Digits are read exactly; an expression as far as a number goes. */
function readSeed(text: string): bigint | null {
  const digits = text.trim();
  if (/^-?\d+$/.test(digits)) return BigInt(digits);
  const value = evaluate(digits);
  return value === null || !Number.isSafeInteger(value) ? null : BigInt(value);
}
