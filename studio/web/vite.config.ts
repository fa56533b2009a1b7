import { resolve } from "node:path";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // The API serves the page below /studio/: everything it loads is named relative to it.
  base: "./",
  build: {
    outDir: resolve(import.meta.dirname, "../../dist/pages/studio"),
    emptyOutDir: true,
    rolldownOptions: {
      // The desk, and what an operator is shown at /admin/queues.
      input: ["index.html", "queues.html"].map((page) => resolve(import.meta.dirname, page)),
    },
    // Hls.js alone is half a megabyte before compression.
    chunkSizeWarningLimit: 1_000,
  },
});
