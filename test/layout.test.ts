import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

/** What each room may import: rooms of ours by name, `node:` where it may touch the machine. */
const LAW: Record<string, RegExp> = {
  core: /^(core\/|node:crypto$)/,
  stores: /^(stores|core)\/|^node:/,
  api: /^(api|stores|core)\/|^node:/,
  transcoder: /^(transcoder|stores|core)\/|^node:/,
  delivery: /^(delivery|stores|core)\/|^node:/,
  // These know us by HTTP alone, so that they prove what a stranger can build.
  "player-demo": /^player-demo\/|^node:/,
  studio: /^studio\/|^node:/,
  infra: /^(infra|stores|core)\/|^node:/,
  bench: /./,
  test: /./,
};

/** Where a third-party package lives: what is known of it is known there, and only there it can break us. */
const HOMES: Record<string, RegExp> = {
  "@aws-sdk/client-s3": /^stores\/blobs[^/]*\.ts$/,
  "@aws-sdk/s3-request-presigner": /^stores\/blobs[^/]*\.ts$/,
  "@hono/node-server": /^(api\/main|delivery\/app)\.ts$/,
  "@hono/zod-openapi": /^api\//,
  bullmq: /^stores\/queue[^/]*\.ts$/,
  chardet: /^api\/decode-text\.ts$/,
  "close-with-grace": /^(api|transcoder)\/main\.ts$/,
  commander: /^studio\/cli\/read-command\.ts$/,
  "fluent-ffmpeg": /^transcoder\/ffmpeg-command\.ts$/,
  "hls-video-element": /^(player-demo|studio\/web)\//,
  "hls.js": /^(player-demo|studio\/web)\//,
  hono: /^(api|delivery)\//,
  ioredis: /^(stores\/queue[^/]*|api\/rate-limit)\.ts$/,
  jose: /^api\/auth\.ts$/,
  "media-chrome": /^(player-demo|studio\/web)\//,
  mongodb: /^stores\/library\//,
  pino: /^stores\/log\.ts$/,
  "prom-client": /^(stores|api|delivery)\/metrics\.ts$/,
  "rate-limiter-flexible": /^api\/rate-limit\.ts$/,
  vite: /\/vite\.config\.ts$/,
  zod: /^api\//,
};

/** The environment is read where a process begins, and nowhere else. */
const MAY_READ_ENVIRONMENT = /^(test|bench|infra\/start)\/|\/main\.ts$|^studio\/cli\/ingest\.ts$/;
/** Names that say nothing of what is inside. */
const EMPTY_NAMES = /^(utils?|helpers?|commons?|misc|shared|lib|index)$/;

interface SourceFile {
  path: string;
  room: string;
  /** Without its comments. */
  code: string;
  /** Paths of ours from the root, names of packages, `node:` modules. */
  imports: string[];
}

const root = resolve(import.meta.dirname, "..");
const files: SourceFile[] = Object.keys(LAW).flatMap((room) =>
  globSync(`${room}/**/*.{ts,mjs}`, { cwd: root, exclude: ["**/node_modules/**", "**/dist/**"] }).map(
    (path) => {
      const text = readFileSync(join(root, path), "utf8");
      const code = text.replace(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      return { path, room, code, imports: importsOf(path, code) };
    },
  ),
);

function importsOf(path: string, code: string): string[] {
  const statement =
    /^\s*(?:import|export)\s(?:[^"'`;]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...code.matchAll(statement)].map(([, named, dynamic]) => {
    const specifier = (named ?? dynamic) as string;
    return specifier.startsWith(".") ? relative(root, join(root, dirname(path), specifier)) : specifier;
  });
}

const isOurs = (specifier: string) => specifier.split("/")[0]! in LAW;
const packageOf = (specifier: string) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0];
const isPackage = (specifier: string) => !specifier.startsWith("node:") && !isOurs(specifier);

/** `path: what` for every import that breaks a rule: the message of a failure names the line to change. */
function faults(breaks: (file: SourceFile, specifier: string) => boolean): string[] {
  return files.flatMap((file) =>
    file.imports.filter((specifier) => breaks(file, specifier)).map((one) => `${file.path}: ${one}`),
  );
}

test("there are sources to judge, and their imports are seen", () => {
  for (const room of ["core", "stores", "api", "transcoder", "delivery", "infra"]) {
    assert.ok(
      files.some((file) => file.room === room && file.imports.length > 0),
      room,
    );
  }
});

test("each room imports only what the law allows", () => {
  const breaks = (file: SourceFile, specifier: string) => {
    if (isPackage(specifier)) return file.room === "core";
    return !LAW[file.room]!.test(specifier);
  };
  assert.deepEqual(faults(breaks), []);
});

test("each third-party package is imported only in its home", () => {
  const breaks = ({ path, room }: SourceFile, specifier: string) =>
    isPackage(specifier) && !["test", "bench"].includes(room) && !HOMES[packageOf(specifier)]?.test(path);
  assert.deepEqual(faults(breaks), []);
});

test("only files that begin a process read its environment", () => {
  const readers = files.filter((file) => /\bprocess\.env\b/.test(file.code)).map((file) => file.path);
  assert.deepEqual(
    readers.filter((path) => !MAY_READ_ENVIRONMENT.test(path)),
    [],
  );
});

test("no file hides behind an empty name, passes others' names on, or exports a default", () => {
  const names = files.filter(({ path }) =>
    path.split("/").some((part) => EMPTY_NAMES.test(basename(part).replace(/\..*$/, ""))),
  );
  const barrels = files.filter(({ code }) => /^export\s(?!type\b)[^;"'`]*\sfrom\s*["']/m.test(code));
  const defaults = files.filter(
    ({ path, code }) => /^export default\b|\bas default\b/m.test(code) && basename(path) !== "vite.config.ts",
  );
  const paths = (list: SourceFile[]) => list.map((file) => file.path);
  assert.deepEqual(
    { names: paths(names), barrels: paths(barrels), defaults: paths(defaults) },
    { names: [], barrels: [], defaults: [] },
  );
});
