/** A field that opens a list to choose from: with letters, arrows, Home, End, Enter, Esc or the mouse. */

import { Check, ChevronDown, Search, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { useDismiss, useFloating } from "../theme";
import type { ControlAttributes } from "./Frame";
import { find } from "./match";

interface PickerProps {
  control: ControlAttributes;
  /** What is chosen; null when nothing is. */
  value: string | null;
  names: readonly string[];
  /** What the list is for: the name of its search field. */
  label: string;
  onPick(name: string): void;
  /** The list was opened: a good time to see what is there now. */
  onOpen?(): void;
  /** While the names are not there yet, or could not be had: said instead of the list. */
  state?: ReactNode;
  /** Whether a value that is not among the names is a mistake. */
  strict?: boolean;
}

/** More than this are never drawn at once; typing narrows them down. */
const SHOWN = 200;
/** From so many on there is a search field. */
const SEARCHED = 8;

export function Picker({ control, value, names, label, onPick, onOpen, state, strict = true }: PickerProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const missing = strict && value !== null && state === undefined && !names.includes(value);
  const show = () => {
    onOpen?.();
    setOpen(true);
  };
  const close = useCallback(() => setOpen(false), []);
  const onKeyDown = (event: KeyboardEvent) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      event.stopPropagation();
      show();
    } else if (way !== undefined && names.length > 0) {
      // As ComfyUI's fingers know it: left and right go through the choices without opening the list.
      event.preventDefault();
      event.stopPropagation();
      const next = names[Math.max(0, Math.min(names.length - 1, names.indexOf(value ?? "") + way))];
      if (next !== undefined && next !== value) onPick(next);
    }
  };
  return (
    <>
      <button
        {...control}
        ref={button}
        type="button"
        role="combobox"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-invalid={control["aria-invalid"] || missing || undefined}
        aria-label={`${label}: ${value ?? "nothing chosen"}${missing ? ", which is missing" : ""}`}
        className="field picker"
        title={value ?? undefined}
        onClick={open ? close : show}
        onKeyDown={onKeyDown}
      >
        {missing && <TriangleAlert className="picker-missing" aria-hidden="true" />}
        <span className="picker-value">{value === null || value === "" ? "choose" : <Name of={value} />}</span>
        <ChevronDown className="picker-arrow" aria-hidden="true" />
      </button>
      {open && (
        <List
          anchor={button}
          label={label}
          value={value}
          names={names}
          missing={missing}
          state={state}
          onClose={close}
          onPick={(name) => {
            close();
            button.current?.focus();
            if (name !== value) onPick(name);
          }}
        />
      )}
    </>
  );
}

interface ListProps {
  anchor: React.RefObject<HTMLButtonElement | null>;
  label: string;
  value: string | null;
  names: readonly string[];
  missing: boolean;
  state: ReactNode;
  onPick(name: string): void;
  onClose(): void;
}

function List({ anchor, label, value, names, missing, state, onPick, onClose }: ListProps) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState("");
  const found = find(query, names, SHOWN);
  const [active, setActive] = useState(() => Math.max(0, found.names.indexOf(value ?? "")));
  useFloating({
    element: popover,
    anchor: () => anchor.current?.getBoundingClientRect() ?? null,
    open: true,
    matchWidth: true,
  });
  useDismiss(true, [popover, anchor], onClose);
  useEffect(() => search.current?.focus({ preventScroll: true }), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls to whichever is active now
  useEffect(() => {
    popover.current?.querySelector('[data-active="true"]')?.scrollIntoView?.({ block: "nearest" });
  }, [active, query]);

  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const last = found.names.length - 1;
    const to = {
      ArrowDown: active >= last ? 0 : active + 1,
      ArrowUp: active <= 0 ? last : active - 1,
      PageDown: Math.min(last, active + 10),
      PageUp: Math.max(0, active - 10),
      ...(query === "" && { Home: 0, End: last }),
    }[event.key as "ArrowDown"];
    const chosen = found.names[active];
    if (to !== undefined) {
      event.preventDefault();
      setActive(to);
    } else if (event.key === "Enter" && chosen !== undefined) {
      event.preventDefault();
      onPick(chosen);
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
      anchor.current?.focus();
    }
  };

  return (
    <div ref={popover} popover="manual" className="popover picker-list nodrag nowheel nopan nokey">
      <span className={names.length < SEARCHED ? "visually-hidden" : "picker-search"}>
        <Search aria-hidden="true" />
        <input
          ref={search}
          role="combobox"
          aria-label={`Search ${label}`}
          aria-expanded="true"
          aria-controls={`${id}list`}
          aria-activedescendant={found.names.length > 0 ? `${id}${active}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder={`Search ${names.length}`}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
      </span>
      {missing && (
        <p className="picker-note picker-note-missing">
          <TriangleAlert aria-hidden="true" />
          <span>
            <b>{value}</b> is missing here. Choose another, or put it in its folder.
          </span>
        </p>
      )}
      {state}
      <div role="listbox" id={`${id}list`} aria-label={label} tabIndex={-1}>
        {found.names.map((name, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the search field has the keys (aria-activedescendant)
          <div
            key={name}
            id={`${id}${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={name === value}
            data-active={index === active}
            className="picker-option"
            onPointerMove={() => setActive(index)}
            onClick={() => onPick(name)}
          >
            <span>{name === value && <Check aria-hidden="true" />}</span>
            <Name of={name} />
          </div>
        ))}
      </div>
      {state === undefined && found.names.length === 0 && (
        <p className="picker-note">{query ? `Nothing is called "${query}".` : "There is nothing to choose from."}</p>
      )}
      {found.more > 0 && <p className="picker-note">{found.more} more. Type to find them.</p>}
    </div>
  );
}

/** A name with its folders less prominent: `sdxl/` base.safetensors. */
function Name({ of }: { of: string }) {
  const cut = Math.max(of.lastIndexOf("/"), of.lastIndexOf("\\")) + 1;
  return (
    <span className="picker-name">
      {cut > 0 && <span className="picker-folder">{of.slice(0, cut)}</span>}
      {of.slice(cut)}
    </span>
  );
}
