/** A number between two ends, dragged along a track; the exact one can be typed beside it. */

import { useState } from "react";
import { Frame } from "./Frame";
import { NumberField, NumberWidget } from "./NumberWidget";
import { isWhole, numberOf } from "./numbers";
import { readable, shownValue, type WidgetProps } from "./types";

export function SliderWidget(props: WidgetProps) {
  const [message, setMessage] = useState("");
  const { schema, onChange, disabled } = props;
  const { minimum, maximum } = schema;
  if (minimum === null || maximum === null) return <NumberWidget {...props} />;
  const [low, high] = [Number(minimum), Number(maximum)];
  const value = Number(numberOf(shownValue(props)) ?? low);
  const share = high > low ? ((value - low) / (high - low)) * 100 : 0;
  const step = schema.step ?? schema.multiple_of ?? (isWhole(schema) ? 1 : (high - low) / 100);
  return (
    <Frame of={props} kind="slider" message={message}>
      {(control) => (
        <span className="slider-row">
          <input
            type="range"
            className="slider"
            aria-label={`${props.label ?? readable(schema.name)}, slider`}
            min={low}
            max={high}
            step={step}
            value={value}
            disabled={disabled}
            style={{ "--share": `${Math.min(100, Math.max(0, share))}%` } as React.CSSProperties}
            onChange={(event) => {
              setMessage("");
              onChange(Number(event.target.value), false);
            }}
            onPointerUp={(event) => onChange(Number(event.currentTarget.value), true)}
            onKeyUp={(event) => onChange(Number(event.currentTarget.value), true)}
          />
          <NumberField {...props} control={control} onMessage={setMessage} />
        </span>
      )}
    </Frame>
  );
}
