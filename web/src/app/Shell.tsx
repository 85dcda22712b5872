/** The frame around the canvas: tabs and the run bar above, panels at both sides, a line of state below. */

import { ReactFlowProvider } from "@xyflow/react";
import {
  CircleAlert,
  CircleHelp,
  Clock,
  FolderOpen,
  Images,
  Keyboard,
  LayoutTemplate,
  ListOrdered,
  type LucideIcon,
  Settings,
  Shapes,
  X,
} from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { Canvas } from "../canvas/Canvas";
import { FormView } from "../form/FormView";
import { HelpPanel } from "../help/HelpPanel";
import { deskStore } from "../live/desk";
import {
  GalleryPanel,
  HistoryPanel,
  ProblemsPanel,
  QueuePanel,
  SettingsPanel,
  TemplatesPanel,
  WorkflowsPanel,
} from "../panels";
import { classes, IconButton, Menu } from "../theme";
import { Breadcrumb } from "./Breadcrumb";
import { ConnectDialog } from "./ConnectDialog";
import { FirstHint } from "./FirstHint";
import { NodeSearch } from "./NodeSearch";
import { NodesPanel } from "./NodesPanel";
import { ShortcutsDialog } from "./ShortcutsDialog";
import { StatusBar } from "./StatusBar";
import { useTab } from "./store";
import { Topbar } from "./Topbar";
import { uiStore, useUi } from "./ui";
import "./shell.css";

interface PanelPlace {
  name: string;
  title: string;
  icon: LucideIcon;
  side: "rail" | "drawer";
  panel: () => ReactNode;
}

const PANELS: readonly PanelPlace[] = [
  { name: "nodes", title: "Nodes", icon: Shapes, side: "rail", panel: NodesPanel },
  { name: "workflows", title: "Workflows", icon: FolderOpen, side: "rail", panel: WorkflowsPanel },
  { name: "templates", title: "Templates", icon: LayoutTemplate, side: "rail", panel: TemplatesPanel },
  { name: "settings", title: "Settings", icon: Settings, side: "rail", panel: SettingsPanel },
  { name: "queue", title: "Queue", icon: ListOrdered, side: "drawer", panel: QueuePanel },
  { name: "history", title: "History", icon: Clock, side: "drawer", panel: HistoryPanel },
  { name: "gallery", title: "Gallery", icon: Images, side: "drawer", panel: GalleryPanel },
  { name: "problems", title: "Problems", icon: CircleAlert, side: "drawer", panel: ProblemsPanel },
  { name: "help", title: "Help", icon: CircleHelp, side: "drawer", panel: HelpPanel },
];

export function Shell() {
  const rail = useUi((ui) => ui.rail);
  const drawer = useUi((ui) => ui.drawer);
  const menu = useUi((ui) => ui.menu);
  const dialog = useUi((ui) => ui.dialog);
  const mood = useTab((tab) => tab.mood);
  useEffect(
    () =>
      deskStore.subscribe(({ wanted }, before) => {
        const place = PANELS.find((each) => each.name === wanted?.panel);
        if (wanted !== before.wanted && place) uiStore.setState({ [place.side]: place.name });
      }),
    [],
  );
  return (
    <div className="shell">
      <Topbar />
      <div className="shell-middle">
        <Strip side="rail" open={rail}>
          <IconButton
            label="Keyboard shortcuts"
            shortcut="?"
            className="strip-button strip-end"
            onClick={() => uiStore.setState({ dialog: "shortcuts" })}
          >
            <Keyboard />
          </IconButton>
        </Strip>
        <Side side="rail" open={rail} />
        <Stage mood={mood} />
        <Side side="drawer" open={drawer} />
        <Strip side="drawer" open={drawer} />
      </div>
      <StatusBar />
      <NodeSearch />
      {menu && (
        <Menu
          key={`${menu.label}${menu.at.x},${menu.at.y}`}
          label={menu.label}
          at={menu.at}
          entries={menu.entries}
          onClose={() => uiStore.setState((now) => (now.menu === menu ? { menu: null } : now))}
        />
      )}
      {dialog === "shortcuts" && <ShortcutsDialog />}
      {dialog && typeof dialog === "object" && "connect" in dialog && <ConnectDialog node={dialog.connect} />}
    </div>
  );
}

/** The buttons that open the panels of one side. */
function Strip({ side, open, children }: { side: "rail" | "drawer"; open: string | null; children?: ReactNode }) {
  return (
    <nav className={classes("strip", `strip-${side}`)} aria-label={side === "rail" ? "Material" : "Runs and help"}>
      {PANELS.filter((each) => each.side === side).map(({ name, title, icon: Icon }) => (
        <button
          key={name}
          type="button"
          className={classes("strip-item", open === name && "strip-open")}
          aria-label={title}
          aria-expanded={open === name}
          aria-controls={`side-${side}`}
          onClick={() => uiStore.setState({ [side]: open === name ? null : name })}
        >
          <Icon aria-hidden="true" />
          <span>{title}</span>
        </button>
      ))}
      {children}
    </nav>
  );
}

/** The panel that is open at one side. */
function Side({ side, open }: { side: "rail" | "drawer"; open: string | null }) {
  const place = PANELS.find((each) => each.name === open);
  if (!place) return null;
  const Panel = place.panel;
  return (
    <section id={`side-${side}`} className={classes("side", `side-${side}`)} aria-label={place.title}>
      <header className="side-header">
        <h2>{place.title}</h2>
        <IconButton label={`Close ${place.title}`} onClick={() => uiStore.setState({ [side]: null })}>
          <X />
        </IconButton>
      </header>
      <div className="side-body">
        <Panel />
      </div>
    </section>
  );
}

/** Put the focus behind the graph, which has a stop for every field of every node. */
function skipGraph(): void {
  document.querySelector<HTMLElement>(".strip-drawer button")?.focus();
}

/** The graph or the form of the tab on show. */
function Stage({ mood }: { mood: "graph" | "form" }) {
  const tab = useTab((each) => each.id);
  const scope = useTab((each) => each.path.map((step) => step.node).join("/"));
  if (mood === "form") {
    return (
      <div className="stage stage-form">
        <FormView />
      </div>
    );
  }
  return (
    <main className="stage" aria-label="Graph">
      <h1 className="visually-hidden">Graph</h1>
      <button type="button" className="skip-link" onClick={skipGraph}>
        Skip the graph
      </button>
      <ReactFlowProvider key={`${tab}/${scope}`}>
        <Canvas scope={scope} />
      </ReactFlowProvider>
      <Breadcrumb />
      <FirstHint />
    </main>
  );
}
