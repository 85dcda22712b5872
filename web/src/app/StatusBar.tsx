/** The line at the foot: how the graph stands, and the view's buttons. */

import { Maximize, Minus, Plus, Redo2, Undo2 } from "lucide-react";
import { useEffect, useState } from "react";
import { boardStore, fitView, useBoard, zoomBy } from "../canvas/board";
import { IconButton } from "../theme";
import { shortcutOf } from "./commands";
import { isDirty, useTab } from "./store";

export function StatusBar() {
  const nodes = useBoard((board) => board.scene.nodes.size);
  const wires = useBoard((board) => board.scene.wires.size);
  const selected = useTab((tab) => tab.selection.nodes.size);
  const saved = useTab((tab) => tab.saved !== null);
  const dirty = useTab((tab) => isDirty(tab));
  const undo = useTab((tab) => tab.undo);
  const redo = useTab((tab) => tab.redo);
  const past = useTab((tab) => tab.history.past.length > 0);
  const future = useTab((tab) => tab.history.future.length > 0);
  const mood = useTab((tab) => tab.mood);
  return (
    <footer className="status">
      <span className="status-words">
        {nodes} {nodes === 1 ? "node" : "nodes"}, {wires} {wires === 1 ? "wire" : "wires"}
        {selected > 0 && `, ${selected} selected`}
      </span>
      <span className="status-words">
        {dirty ? (saved ? "Edited" : "Draft, kept as you work") : saved ? "Saved" : ""}
      </span>
      <span className="status-space" />
      {mood === "graph" && (
        <span className="status-buttons">
          <IconButton
            label="Undo"
            shortcut={shortcutOf("edit.undo") ?? ""}
            size="small"
            disabled={!past}
            onClick={undo}
          >
            <Undo2 />
          </IconButton>
          <IconButton
            label="Redo"
            shortcut={shortcutOf("edit.redo") ?? ""}
            size="small"
            disabled={!future}
            onClick={redo}
          >
            <Redo2 />
          </IconButton>
          <span className="status-line" />
          <IconButton label="Zoom out" size="small" onClick={() => zoomBy(0.8)}>
            <Minus />
          </IconButton>
          <Zoom />
          <IconButton label="Zoom in" size="small" onClick={() => zoomBy(1.25)}>
            <Plus />
          </IconButton>
          <IconButton label="Show all" shortcut="." size="small" onClick={() => fitView()}>
            <Maximize />
          </IconButton>
        </span>
      )}
    </footer>
  );
}

/** How large things are shown; read now and then, so that moving the canvas costs nothing here. */
function Zoom() {
  const [zoom, setZoom] = useState(1);
  useEffect(() => {
    const timer = setInterval(() => setZoom(boardStore.getState().camera?.view().zoom ?? 1), 250);
    return () => clearInterval(timer);
  }, []);
  return <span className="status-zoom">{Math.round(zoom * 100)} %</span>;
}
