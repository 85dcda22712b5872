/** The workflow document and everything that is done to it. Pure: no page, no React, no network. */

export * from "./changes";
export * from "./history";
export * from "./patch";
export * from "./reduce";
export * from "./schema";
export * from "./scope";
export * from "./types";
