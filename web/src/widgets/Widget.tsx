/** How an unconnected input is edited: one component for each kind. Nodes on the canvas and forms use the same. */

import type { ComponentType } from "react";
import type { WidgetKind } from "../document";
import { BoxesWidget } from "./BoxesWidget";
import { ColourWidget } from "./ColourWidget";
import { ComboWidget } from "./ComboWidget";
import { DrawingWidget } from "./DrawingWidget";
import { FileWidget } from "./FileWidget";
import { MultilineWidget } from "./MultilineWidget";
import { NumberWidget } from "./NumberWidget";
import { SeedWidget } from "./SeedWidget";
import { SliderWidget } from "./SliderWidget";
import { TextWidget } from "./TextWidget";
import { ToggleWidget } from "./ToggleWidget";
import type { WidgetProps } from "./types";
import "./widgets.css";

export type { WidgetProps };

const KINDS: Readonly<Record<WidgetKind, ComponentType<WidgetProps>>> = {
  number: NumberWidget,
  slider: SliderWidget,
  text: TextWidget,
  multiline: MultilineWidget,
  combo: ComboWidget,
  toggle: ToggleWidget,
  seed: SeedWidget,
  file: FileWidget,
  colour: ColourWidget,
  boxes: BoxesWidget,
  drawing: DrawingWidget,
};

/** Nothing, for an input that can only be linked. */
export function Widget(props: WidgetProps) {
  const { widget } = props.schema;
  if (widget === null) return null;
  const Kind = KINDS[widget];
  return <Kind {...props} />;
}
