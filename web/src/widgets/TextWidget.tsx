/** One line of text. */

import { Frame } from "./Frame";
import { shownValue, type WidgetProps } from "./types";
import { useTyping } from "./useTyping";

export function TextWidget(props: WidgetProps) {
  const { schema } = props;
  const typing = useTyping(props.onChange);
  const value = shownValue(props);
  const text = value === null ? "" : String(value);
  return (
    <Frame of={props} kind="text" message={mismatch(text, schema.pattern)}>
      {(control) => (
        <input
          {...control}
          className="field"
          type="text"
          autoComplete="off"
          spellCheck={false}
          placeholder={schema.required ? "" : "none"}
          value={text}
          onChange={(event) => typing.type(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && typing.end()}
          onBlur={typing.end}
        />
      )}
    </Frame>
  );
}

/** Say so while a text does not have the form that is wanted. Patterns are Python's; those JavaScript cannot read are the server's. */
function mismatch(text: string, pattern: string | null): string {
  if (pattern === null || text === "") return "";
  try {
    return new RegExp(pattern, "u").test(text) ? "" : `This does not have the form ${pattern}.`;
  } catch {
    return "";
  }
}
