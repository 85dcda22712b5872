/** Widgets: how the values of a node are edited. */

export { fileServer } from "./fileServer";
export { type FileServer, Files, FilesContext, useFiles } from "./files";
export { readable } from "./types";
export { Widget, type WidgetProps } from "./Widget";
