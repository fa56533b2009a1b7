import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // The API serves the page below /studio/: everything it loads is named relative to it.
  base: "./",
  build: {
    outDir: resolve(import.meta.dirname, "../../dist/pages/studio"),
    emptyOutDir: true,
    // hls.js and the controls are one chunk of their own, which no edit of the page changes.
    chunkSizeWarningLimit: 1_000,
  },
});
