/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { sourceDigest } from "./digest";

/** Where `darkroom serve` listens; `npm run dev` hands it everything that is not the editor's own code. */
const SERVER = "http://127.0.0.1:8188";

export default defineConfig({
  base: "./",
  plugins: [react(), sourceDigest(import.meta.dirname)],
  build: {
    outDir: "../engine/http/editor",
    emptyOutDir: true,
    // The page's content security policy allows scripts and styles from our own files only: nothing is inlined.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: "es2022",
    rollupOptions: {
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      // Neither `Host` nor `Origin` is rewritten: the server compares them, and takes both names of this machine.
      "/v1": { target: SERVER, ws: true },
    },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    // Tests that need a page say so in their first line: // @vitest-environment happy-dom
    environment: "node",
  },
});
