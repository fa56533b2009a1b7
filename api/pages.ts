import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { notFound } from "../core/errors.ts";
import type { ApiConfig } from "./config.ts";
import type { ApiEnv } from "./deps.ts";

/** Types of what our own build makes; anything else is not served (RELIABILITY T12). */
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};
/** A name with a hash of its content, as the build gives to assets: it may be kept for ever. */
const HASHED = /[-.][A-Za-z0-9_-]{8,}\.\w+$/;

interface PageFile {
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzipped: Uint8Array<ArrayBuffer> | null;
  etag: string;
  cacheControl: string;
}

/** Files by the path they are served at. Only what is in this table is served: no request's path meets the disk. */
export type Pages = Map<string, PageFile>;

/** Reads the built pages (`player`, `studio`) and the API's own documentation page into memory. */
export async function loadPages(pagesDir: string | null): Promise<Pages> {
  const pages: Pages = new Map();
  for (const room of ["player", "studio"]) {
    const folder = pagesDir === null ? null : path.join(pagesDir, room);
    if (folder !== null && existsSync(folder)) await loadFolder(pages, folder, `/${room}`);
  }
  const swagger = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const name of ["swagger-ui.css", "swagger-ui-bundle.js"]) {
    pages.set(`/docs/${name}`, pageFile(await readFile(path.join(swagger, name)), name));
  }
  pages.set("/docs/start.js", pageFile(Buffer.from(DOCS_START), "start.js"));
  pages.set("/docs", pageFile(Buffer.from(DOCS_PAGE), "index.html"));
  return pages;
}

async function loadFolder(pages: Pages, folder: string, at: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || TYPES[path.extname(entry.name)] === undefined) continue;
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).split(path.sep).join("/");
    const page = pageFile(await readFile(file), name);
    pages.set(`${at}/${name}`, page);
    if (name === "index.html") pages.set(`${at}/`, page);
  }
}

function pageFile(bytes: Buffer, name: string): PageFile {
  const type = TYPES[path.extname(name)] ?? "application/octet-stream";
  const isText = /^text\/|json$|svg/.test(type);
  const isHashed = name.includes("assets/") && HASHED.test(name);
  return {
    type,
    bytes: new Uint8Array(bytes),
    gzipped: isText ? new Uint8Array(gzipSync(bytes, { level: 9 })) : null,
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    cacheControl: isHashed ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

/** The pages under their own Content-Security-Policy: scripts from here alone, media from delivery, uploads to storage. */
export function pageRoutes(pages: Pages, config: ApiConfig) {
  const media = [...config.edges.map(({ url }) => url), config.previewUrl];
  const delivery = [...new Set(media.map((url) => new URL(url).origin))];
  const storage = new URL(config.blobs.publicEndpoint).origin;
  const policy = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      // Player controls style themselves inside their shadow roots.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", "data:", "blob:", ...delivery],
      fontSrc: ["'self'", "data:"],
      connectSrc: ["'self'", ...delivery, storage],
      // `data:` holds the empty text track that hls.js fills with cues.
      mediaSrc: ["'self'", "blob:", "data:", ...delivery],
      workerSrc: ["'self'", "blob:"],
      manifestSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
    crossOriginResourcePolicy: "same-origin",
    // An upload's storage and delivery answer other origins by CORS; the page itself must not demand more of them.
    crossOriginEmbedderPolicy: false,
  });
  const app = new Hono<ApiEnv>();
  app.get("/", (c) => c.redirect("/player/", 302));
  for (const room of ["/player", "/studio"]) app.get(room, (c) => c.redirect(`${room}/`, 308));
  for (const place of ["/player/*", "/studio/*", "/docs", "/docs/*"]) {
    app.get(place, policy, (c) => {
      const page = pages.get(c.req.path);
      if (page === undefined) throw notFound("page");
      return send(c, page);
    });
  }
  return app;
}

function send(c: Context<ApiEnv>, page: PageFile): Response {
  c.header("Content-Type", page.type);
  c.header("Cache-Control", page.cacheControl);
  c.header("ETag", page.etag);
  c.header("Vary", "Accept-Encoding");
  const wanted = (c.req.header("If-None-Match") ?? "").split(",");
  // RFC 9110 §13.1.2: a weak comparison, over a list of tags.
  if (wanted.some((tag) => tag.trim().replace(/^W\//, "") === page.etag)) return c.body(null, 304);
  if (page.gzipped === null || !/\bgzip\b/.test(c.req.header("Accept-Encoding") ?? ""))
    return c.body(page.bytes);
  c.header("Content-Encoding", "gzip");
  return c.body(page.gzipped);
}

const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Matinee API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const DOCS_START = `window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: true,
});
`;
