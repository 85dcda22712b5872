/** A node's title bar: what it is called, what state it is in, and its buttons. */

import { ChevronDown, ChevronRight, CircleAlert, CircleHelp, Ellipsis, LogIn, Pin, Zap } from "lucide-react";
import { memo, useEffect, useState } from "react";
import { here } from "../app/actions";
import type { NodeRun } from "../app/run";
import { activeTab } from "../app/store";
import { openMenu, uiStore, useUi } from "../app/ui";
import { type Problem, subgraphOf } from "../document";
import { openPanel } from "../live/desk";
import { titleOf } from "./GraphNode";
import { nodeMenu } from "./menus";
import type { SceneNode } from "./scene";
import { TitleText } from "./TitleText";

interface HeaderProps {
  item: SceneNode;
  run: NodeRun | undefined;
  problems: readonly Problem[];
  runId: string;
  selected: boolean;
}

export const Header = memo(function Header({ item, run, problems, runId, selected }: HeaderProps) {
  const { id, node, box } = item;
  const editing = useUi((ui) => ui.editing === `node:${id}`);
  const collapsed = box?.collapsed ?? false;
  const instance = subgraphOf(node.type) !== undefined;
  // Tab stops at the buttons of what is selected; else a graph would have three more stops for every node.
  const stop = selected ? 0 : -1;
  const Chevron = collapsed ? ChevronRight : ChevronDown;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: F2 renames what is selected, Enter enters it
    <header
      className="node-header"
      onDoubleClick={(event) => {
        event.stopPropagation();
        if (instance) activeTab().getState().enter(id);
        else uiStore.setState({ editing: `node:${id}` });
      }}
    >
      <button
        type="button"
        tabIndex={stop}
        className="node-button nodrag"
        aria-label={collapsed ? "Expand" : "Collapse"}
        aria-expanded={!collapsed}
        onClick={() => {
          const { tab, inside } = here();
          const patch = { collapsed: collapsed ? undefined : true };
          tab.dispatch({ type: "editBoxes", ...inside, nodes: [id], patch });
        }}
      >
        <Chevron />
      </button>
      {editing ? (
        <TitleField item={item} />
      ) : (
        <span className="node-title" title={`${titleOf(item)} (${id})`}>
          {titleOf(item)}
        </span>
      )}
      <span className="node-state">
        {node.mode === "bypass" && <span className="node-tag">bypassed</span>}
        {node.mode === "mute" && <span className="node-tag">muted</span>}
        {node.frozen && <Pin aria-label="Frozen" className="node-pin" />}
        {run && <RunMark run={run} />}
        {problems.length > 0 && (
          <CircleAlert
            aria-label={problems.length === 1 ? "1 problem" : `${problems.length} problems`}
            className="node-alert"
          />
        )}
      </span>
      <span className="node-buttons nodrag">
        {instance ? (
          <button
            type="button"
            tabIndex={stop}
            className="node-button"
            aria-label="Enter subgraph"
            onClick={() => activeTab().getState().enter(id)}
          >
            <LogIn />
          </button>
        ) : (
          <button
            type="button"
            tabIndex={stop}
            className="node-button"
            aria-label="Help"
            onClick={() => {
              activeTab()
                .getState()
                .select({ nodes: new Set([id]) });
              openPanel("help");
            }}
          >
            <CircleHelp />
          </button>
        )}
        <button
          type="button"
          tabIndex={stop}
          className="node-button"
          aria-label="More"
          aria-haspopup="menu"
          onClick={(event) => {
            const { left, bottom } = event.currentTarget.getBoundingClientRect();
            openMenu(titleOf(item), { x: left, y: bottom }, nodeMenu(item, runId));
          }}
        >
          <Ellipsis />
        </button>
      </span>
      {run?.status === "running" && <Bar run={run} />}
    </header>
  );
});

/** How a node stands in the run on show: at work and for how long, done and how fast, or taken from the cache. */
function RunMark({ run }: { run: NodeRun }) {
  switch (run.status) {
    case "running":
      return <Clock since={run.startedAt} step={run.step} total={run.total} />;
    case "cached":
      return (
        <span className="node-time node-cached" title="Taken from the cache">
          <Zap aria-label="cached" />
        </span>
      );
    case "done":
      return run.seconds === undefined ? null : <span className="node-time">{inSeconds(run.seconds)}</span>;
    case "skipped":
      return <span className="node-tag">skipped</span>;
    default:
      return null;
  }
}

function Clock({
  since,
  step,
  total,
}: {
  since?: number | undefined;
  step?: number | undefined;
  total?: number | undefined;
}) {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 500);
    return () => clearInterval(timer);
  }, []);
  if (total) {
    return (
      <span className="node-time node-time-live">
        {step ?? 0}/{total}
      </span>
    );
  }
  return (
    <span className="node-time node-time-live">{since === undefined ? "…" : inSeconds(Math.max(0, now - since))}</span>
  );
}

export function inSeconds(seconds: number): string {
  if (seconds < 0.095) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;
}

function Bar({ run }: { run: NodeRun }) {
  const share = run.total ? Math.min(1, (run.step ?? 0) / run.total) : null;
  return (
    <div
      role="progressbar"
      aria-label="Progress"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}
      className={share === null ? "node-bar node-bar-unknown" : "node-bar"}
    >
      <div style={share === null ? undefined : { transform: `scaleX(${share})` }} />
    </div>
  );
}

function TitleField({ item }: { item: SceneNode }) {
  const [text, setText] = useState(titleOf(item));
  const end = (keep: boolean) => {
    uiStore.setState({ editing: null });
    if (!keep) return;
    const { tab, inside } = here();
    const trimmed = text.trim();
    const subgraph = subgraphOf(item.node.type);
    if (subgraph !== undefined && item.node.title == null && trimmed !== "") {
      tab.dispatch({ type: "editSubgraph", id: subgraph, patch: { name: trimmed } });
      return;
    }
    const title = trimmed === "" || trimmed === item.schema?.title ? null : trimmed;
    if (title !== (item.node.title ?? null)) tab.dispatch({ type: "setTitle", ...inside, node: item.id, title });
  };
  return <TitleText label="Title" text={text} onText={setText} onEnd={end} />;
}
