/** Text for people, lying on the canvas: Markdown, edited in place. */

import { NodeResizeControl } from "@xyflow/react";
import { memo, useState } from "react";
import { here } from "../app/actions";
import { openMenu, uiStore, useUi } from "../app/ui";
import { type Note, snap } from "../document";
import { classes, Markdown } from "../theme";
import { coloured } from "./GraphNode";
import { colourMenu } from "./menus";

interface NoteProps {
  data: { note: Note; index: number };
  selected?: boolean;
}

export const NoteCard = memo(function NoteCard({ data: { note, index }, selected = false }: NoteProps) {
  const editing = useUi((ui) => ui.editing === `note:${index}`);
  const edit = () => uiStore.setState({ editing: `note:${index}` });
  return (
    <aside
      className={classes("note", selected && "note-selected")}
      aria-label="Note"
      style={coloured(note.colour)}
      onDoubleClick={(event) => {
        event.stopPropagation();
        edit();
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const { tab, inside } = here();
        if (!tab.selection.notes.has(index)) tab.select({ notes: new Set([index]) });
        const at = { x: event.clientX, y: event.clientY };
        openMenu("Note", at, [
          { label: "Edit", shortcut: "F2", onSelect: edit },
          { label: "Colour…", onSelect: () => openMenu("Colour", at, colourMenu()) },
          "separator",
          {
            label: "Delete",
            danger: true,
            onSelect: () => tab.dispatch({ type: "removeMarks", ...inside, notes: [index] }),
          },
        ]);
      }}
    >
      {editing ? (
        <NoteField note={note} index={index} />
      ) : note.text ? (
        <Markdown text={note.text} className="note-text nowheel" />
      ) : (
        <p className="note-empty">Double-click to write. Markdown works here.</p>
      )}
      <NodeResizeControl
        className="node-resize"
        position="bottom-right"
        minWidth={96}
        minHeight={48}
        onResize={(_, { width, height }) => {
          const { tab, inside } = here();
          const patch = { size: [snap(width), snap(height)] as [number, number] };
          tab.dispatch({ type: "editNote", ...inside, index, patch }, `resize note ${index}`);
        }}
        onResizeEnd={() => here().tab.endDeed()}
      >
        <span aria-hidden="true" />
      </NodeResizeControl>
    </aside>
  );
});

function NoteField({ note, index }: { note: Note; index: number }) {
  const [text, setText] = useState(note.text ?? "");
  const end = () => {
    uiStore.setState({ editing: null });
    const { tab, inside } = here();
    if (text !== (note.text ?? "")) tab.dispatch({ type: "editNote", ...inside, index, patch: { text } });
  };
  return (
    <textarea
      className="note-field nodrag nowheel"
      aria-label="Text of the note"
      value={text}
      ref={(field) => field?.focus()}
      onChange={(event) => setText(event.target.value)}
      onBlur={end}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) end();
      }}
    />
  );
}
