/** Yes or no. */

import { Frame } from "./Frame";
import { shownValue, type WidgetProps } from "./types";

export function ToggleWidget(props: WidgetProps) {
  const on = shownValue(props) === true;
  return (
    <Frame of={props} kind="toggle">
      {(control) => (
        <button
          {...control}
          type="button"
          role="switch"
          aria-checked={on}
          className="switch"
          onClick={() => props.onChange(!on, true)}
        >
          <span className="switch-thumb" />
        </button>
      )}
    </Frame>
  );
}
