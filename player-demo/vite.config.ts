import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // The API serves the page below /player/: everything it loads is named relative to it.
  base: "./",
  build: {
    outDir: resolve(import.meta.dirname, "../dist/pages/player"),
    emptyOutDir: true,
    // Hls.js alone is half a megabyte before compression.
    chunkSizeWarningLimit: 1_000,
  },
});
