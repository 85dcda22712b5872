/** Panels without props that read the stores; the shell places them. (Stand-ins until WEB-C's arrive.) */

/** Connect to the server: fetch the catalogue, listen to events, register the commands of running and files. */
export function start(): void {}

export const RunBar = () => <div />;
export const QueuePanel = () => <div />;
export const HistoryPanel = () => <div />;
export const GalleryPanel = () => <div />;
export const WorkflowsPanel = () => <div />;
export const TemplatesPanel = () => <div />;
