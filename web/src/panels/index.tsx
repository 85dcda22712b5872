/** Panels without props that read the stores; the shell places them. `PanelDialogs` is mounted once, beside them. */

import "./panels.css";

export { startLive as start } from "../live/start";
export { PanelDialogs } from "./Dialogs";
export { GalleryPanel } from "./GalleryPanel";
export { HistoryPanel } from "./HistoryPanel";
export { ProblemsPanel } from "./ProblemsPanel";
export { QueuePanel } from "./QueuePanel";
export { RunBar } from "./RunBar";
export { SettingsPanel } from "./SettingsPanel";
export { TemplatesPanel } from "./TemplatesPanel";
export { WorkflowsPanel } from "./WorkflowsPanel";
