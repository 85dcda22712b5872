/** A colour: the browser's own chooser, and its code in letters. */

import { useState } from "react";
import { Frame } from "./Frame";
import { readable, shownValue, type WidgetProps } from "./types";
import { useFieldText } from "./useFieldText";

export function ColourWidget(props: WidgetProps) {
  const { onChange, disabled, schema } = props;
  const [message, setMessage] = useState("");
  const value = shownValue(props);
  const text = typeof value === "string" ? value : "";
  const field = useFieldText(text);
  const finish = () => {
    const typed = field.finish();
    if (typed === null) return;
    const colour = readColour(typed);
    setMessage(colour === null ? `"${typed}" is no colour; write it like #ff8b3d.` : "");
    if (colour !== null && colour !== text) onChange(colour, true);
  };
  return (
    <Frame of={props} kind="colour" message={message}>
      {(control) => (
        <span className="colour-row">
          <input
            type="color"
            className="swatch"
            aria-label={`${props.label ?? readable(schema.name)}, chooser`}
            disabled={disabled}
            value={readColour(text) ?? "#000000"}
            onChange={(event) => onChange(event.target.value, false)}
            onBlur={(event) => event.target.value !== text || onChange(text, true)}
          />
          <input
            {...control}
            className="field"
            autoComplete="off"
            spellCheck={false}
            placeholder={schema.required ? "#rrggbb" : "none"}
            value={field.text}
            onChange={(event) => field.type(event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && finish()}
            onBlur={finish}
          />
        </span>
      )}
    </Frame>
  );
}

/** `#rgb` or `#rrggbb`, with or without its mark, as `#rrggbb`; null when it is none. */
export function readColour(text: string): string | null {
  const code = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1]?.toLowerCase();
  if (code === undefined) return null;
  return `#${code.length === 3 ? code.replace(/./g, "$&$&") : code}`;
}
