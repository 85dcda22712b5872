/** The box that adds a node: type a few letters, choose with the arrows, Enter. */

import { Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { boardStore } from "../canvas/board";
import { catalogueOf, typesFit } from "../document";
import { classes, PortMark } from "../theme";
import { addNode } from "./actions";
import { useCatalogue } from "./catalogue";
import { findNodes } from "./fuzzy";
import { useTab } from "./store";
import { type SearchAsked, uiStore, useUi } from "./ui";

const SHOWN = 60;

export function NodeSearch() {
  const asked = useUi((ui) => ui.search);
  return asked ? <SearchBox key={`${asked.screen}`} asked={asked} /> : null;
}

function SearchBox({ asked }: { asked: SearchAsked }) {
  const { loose } = asked;
  const document = useTab((tab) => tab.document);
  const catalogue = useCatalogue();
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const found = useMemo(() => {
    const all = [...catalogueOf(document, catalogue).values()];
    const fitting = loose
      ? all.filter((node) =>
          loose.kind === "output"
            ? node.inputs.some((input) => typesFit(loose.type, input.type))
            : node.outputs.some((output) => typesFit(output.type, loose.type)),
        )
      : all;
    return findNodes(query, fitting).slice(0, SHOWN);
  }, [document, catalogue, query, loose]);
  const at = Math.min(chosen, found.length - 1);
  const node = found[at];

  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    list.current?.querySelector(`[data-at="${at}"]`)?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const close = () => uiStore.setState({ search: null });
  const add = (type: string) => {
    close();
    addNode(type, asked.at, loose);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen(Math.max(0, Math.min(found.length - 1, at + step)));
    } else if (event.key === "Enter" && node) {
      event.preventDefault();
      add(node.name);
    } else if (event.key === "Tab") {
      event.preventDefault();
      close();
    }
  };
  return (
    <dialog
      ref={dialog}
      className="node-search"
      aria-label="Add node"
      style={placed(asked.screen)}
      onKeyDown={onKeyDown}
      onCancel={close}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="node-search-box">
        <label className="node-search-field">
          <Search aria-hidden="true" />
          <input
            type="text"
            role="combobox"
            aria-label="Search nodes"
            aria-expanded="true"
            aria-controls={`${id}list`}
            aria-activedescendant={node ? `${id}${at}` : undefined}
            aria-autocomplete="list"
            placeholder={loose ? placeholder(loose.kind, loose.type) : "Add node…"}
            value={query}
            ref={(field) => {
              if (field && globalThis.document.activeElement !== field) field.focus();
            }}
            onChange={(event) => {
              setQuery(event.target.value);
              setChosen(0);
            }}
          />
          {loose && <PortMark type={loose.type} />}
        </label>
        <div ref={list} id={`${id}list`} role="listbox" aria-label="Nodes" className="node-search-list">
          {found.map((each, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the search field has the focus and its keys
            <div
              key={each.name}
              id={`${id}${index}`}
              data-at={index}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              className={classes("node-search-item", index === at && "node-search-chosen")}
              onPointerMove={() => index !== at && setChosen(index)}
              onClick={() => add(each.name)}
            >
              <span className="node-search-title">{each.title}</span>
              <span className="node-search-category">{each.category}</span>
            </div>
          ))}
          {found.length === 0 && <p className="node-search-none">No node is called anything like that.</p>}
        </div>
        {node?.help && <p className="node-search-help">{node.help.split("\n\n")[0]}</p>}
      </div>
    </dialog>
  );
}

function placeholder(kind: "output" | "input", type: string): string {
  return kind === "output" ? `What takes ${type}?` : `What gives ${type}?`;
}

const BOX = { width: 360, height: 400 };

/** Where it was asked for, and wholly inside the window. */
function placed([x, y]: readonly [number, number]) {
  const left = Math.max(8, Math.min(x - 40, window.innerWidth - BOX.width - 8));
  const top = Math.max(8, Math.min(y - 24, window.innerHeight - BOX.height - 8));
  return { left, top, width: Math.min(BOX.width, window.innerWidth - 16) };
}

/** Whether the pointer is over the canvas, so that Tab means "add a node here". */
export function overCanvas(): boolean {
  return boardStore.getState().pointer !== null;
}
