/** The colours to paint with: named swatches for a palette of classes; otherwise a few to begin with, and any. */

import { type KeyboardEvent, useRef } from "react";
import type { PaletteColour } from "../document";
import type { Colour } from "../mask/mask";
import { classes } from "../theme";
import { readCode, writeCode } from "./raster";

interface ColoursProps {
  palette: readonly PaletteColour[];
  /** Names are shown beside the swatches: they mean something. */
  named: boolean;
  colour: Colour;
  onChoose(colour: Colour): void;
}

/** One stop of the Tab key; arrows choose. */
export function Swatches({ palette, named, colour, onChoose }: ColoursProps) {
  const group = useRef<HTMLDivElement>(null);
  const code = writeCode(colour);
  const now = palette.findIndex((each) => each.colour === code);
  const choose = (index: number) => {
    const chosen = readCode(palette[index]?.colour ?? "");
    if (chosen) onChoose(chosen);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const index = (now + by + palette.length) % palette.length;
    choose(index);
    group.current?.querySelectorAll<HTMLElement>('[role="radio"]')[index]?.focus();
  };
  return (
    <div
      ref={group}
      role="radiogroup"
      aria-label={named ? "What to paint" : "Colours"}
      className={classes("swatches", named && "swatches-named")}
      onKeyDown={onKeyDown}
    >
      {palette.map((each, index) => (
        // biome-ignore lint/a11y/useSemanticElements: a swatch is a button that looks like one; arrows work as in a group
        <button
          key={each.name}
          type="button"
          role="radio"
          aria-checked={index === now}
          aria-label={each.name}
          title={each.name}
          tabIndex={index === now || (now < 0 && index === 0) ? 0 : -1}
          className="swatch-choice"
          onClick={() => choose(index)}
        >
          <span className="swatch-colour" style={{ background: each.colour }} />
          {named && <span>{each.name}</span>}
        </button>
      ))}
    </div>
  );
}

/** A few that one needs often. */
export const COMMON: readonly PaletteColour[] = [
  { name: "black", colour: "#1c1a19" },
  { name: "white", colour: "#ffffff" },
  { name: "grey", colour: "#8c8c94" },
  { name: "red", colour: "#d62830" },
  { name: "orange", colour: "#f68a1e" },
  { name: "yellow", colour: "#fcd23c" },
  { name: "green", colour: "#48a03c" },
  { name: "cyan", colour: "#3cc4d6" },
  { name: "blue", colour: "#2860d2" },
  { name: "purple", colour: "#7c42be" },
  { name: "pink", colour: "#f682b2" },
  { name: "brown", colour: "#7a482c" },
];
