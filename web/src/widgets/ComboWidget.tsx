/** One of some fixed choices. */

import { Frame } from "./Frame";
import { Picker } from "./Picker";
import { readable, shownValue, type WidgetProps } from "./types";

export function ComboWidget(props: WidgetProps) {
  const { schema, onChange } = props;
  const value = shownValue(props);
  return (
    <Frame of={props} kind="combo">
      {(control) => (
        <Picker
          control={control}
          label={props.label ?? readable(schema.name)}
          value={value === null ? null : String(value)}
          names={schema.options ?? []}
          onPick={(name) => onChange(name, true)}
        />
      )}
    </Frame>
  );
}
