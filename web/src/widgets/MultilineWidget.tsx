/** Text of several lines, such as a prompt. Grows in a form, scrolls on a node; Ctrl+Up and Ctrl+Down weigh words. */

import { type KeyboardEvent, useLayoutEffect, useRef } from "react";
import { Frame } from "./Frame";
import { shownValue, type WidgetProps } from "./types";
import { useTyping } from "./useTyping";
import { weigh } from "./weights";

const WEIGHT_STEP = 0.05;

export function MultilineWidget(props: WidgetProps) {
  const { schema } = props;
  const typing = useTyping(props.onChange);
  const value = shownValue(props);
  const text = value === null ? "" : String(value);
  const area = useRef<HTMLTextAreaElement>(null);
  useGrowing(area, text, props.compact !== true);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const by = { ArrowUp: WEIGHT_STEP, ArrowDown: -WEIGHT_STEP }[event.key];
    if (by === undefined || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const { value, selectionStart, selectionEnd } = event.currentTarget;
    const before = { text: value, start: selectionStart, end: selectionEnd };
    const after = weigh(before, by);
    if (after === before) return;
    replaceText(event.currentTarget, after.text);
    event.currentTarget.setSelectionRange(after.start, after.end);
    typing.type(after.text);
  };

  return (
    <Frame of={props} kind="multiline" stacked>
      {(control) => (
        <textarea
          {...control}
          ref={area}
          className="field nowheel"
          rows={props.compact ? 3 : 4}
          spellCheck={false}
          placeholder={schema.required ? "Describe it" : "none"}
          value={text}
          onChange={(event) => typing.type(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={typing.end}
        />
      )}
    </Frame>
  );
}

/** In a form, fit the height to the text where the browser does not do that by itself (`field-sizing: content`). */
function useGrowing(area: React.RefObject<HTMLTextAreaElement | null>, text: string, grows: boolean): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: measured again whenever the text is another one
  useLayoutEffect(() => {
    const element = area.current;
    if (!element || !grows || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [area, text, grows]);
}

/** Replace all text, so that the browser's own undo knows of it. */
function replaceText(area: HTMLTextAreaElement, text: string): void {
  area.select();
  const done = typeof document.execCommand === "function" && document.execCommand("insertText", false, text);
  if (!done) area.value = text;
}
