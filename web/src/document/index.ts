/** The workflow document and everything that is done to it. Pure: no page, no React, no network. */

export * from "./arrange";
export * from "./changes";
export * from "./clipboard";
export { usedBy } from "./edits/subgraphs";
export * from "./hints";
export * from "./history";
export * from "./ids";
export * from "./links";
export * from "./patch";
export * from "./ports";
export * from "./read";
export * from "./reduce";
export * from "./schema";
export * from "./scope";
export * from "./size";
export * from "./types";
export * from "./values";
