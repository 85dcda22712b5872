/** A titled frame behind nodes, which move with it. */

import { NodeResizeControl } from "@xyflow/react";
import { memo, useState } from "react";
import { here } from "../app/actions";
import { openMenu, uiStore, useUi } from "../app/ui";
import { type Group, snap } from "../document";
import { classes } from "../theme";
import { coloured } from "./GraphNode";
import { colourMenu } from "./menus";
import { TitleText } from "./TitleText";

interface GroupProps {
  data: { group: Group; index: number };
  selected?: boolean;
}

export const GroupFrame = memo(function GroupFrame({ data: { group, index }, selected = false }: GroupProps) {
  const editing = useUi((ui) => ui.editing === `group:${index}`);
  return (
    <section
      className={classes("group", selected && "group-selected")}
      aria-label={`Group ${group.title ?? ""}`}
      style={coloured(group.colour)}
      onContextMenu={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const { tab, inside } = here();
        if (!tab.selection.groups.has(index)) tab.select({ groups: new Set([index]) });
        const at = { x: event.clientX, y: event.clientY };
        openMenu("Group", at, [
          { label: "Rename", shortcut: "F2", onSelect: () => uiStore.setState({ editing: `group:${index}` }) },
          { label: "Colour…", onSelect: () => openMenu("Colour", at, colourMenu()) },
          "separator",
          {
            label: "Delete group, keep its nodes",
            danger: true,
            onSelect: () => tab.dispatch({ type: "removeMarks", ...inside, groups: [index] }),
          },
        ]);
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: F2 renames what is selected */}
      <header className="group-title" onDoubleClick={() => uiStore.setState({ editing: `group:${index}` })}>
        {editing ? <GroupTitle group={group} index={index} /> : group.title || "Group"}
      </header>
      <NodeResizeControl
        className="node-resize"
        position="bottom-right"
        minWidth={120}
        minHeight={80}
        onResize={(_, { width, height }) => {
          const { tab, inside } = here();
          const patch = { size: [snap(width), snap(height)] as [number, number] };
          tab.dispatch({ type: "editGroup", ...inside, index, patch }, `resize group ${index}`);
        }}
        onResizeEnd={() => here().tab.endDeed()}
      >
        <span aria-hidden="true" />
      </NodeResizeControl>
    </section>
  );
});

function GroupTitle({ group, index }: { group: Group; index: number }) {
  const [text, setText] = useState(group.title ?? "");
  const end = (keep: boolean) => {
    uiStore.setState({ editing: null });
    const { tab, inside } = here();
    if (keep) tab.dispatch({ type: "editGroup", ...inside, index, patch: { title: text.trim() } });
  };
  return <TitleText label="Title of the group" text={text} onText={setText} onEnd={end} />;
}
