import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import test from "node:test";

const root = resolve(import.meta.dirname, "..");
const ROOMS = [
  "core",
  "stores",
  "api",
  "transcoder",
  "delivery",
  "player-demo",
  "studio",
  "infra",
  "bench",
  "test",
];

/** The import law: what each room may import of ours (docs/architecture.md). `test` and `bench` may all. */
const MAY_IMPORT: Record<string, string[]> = {
  core: ["core"],
  stores: ["stores", "core"],
  api: ["api", "stores", "core"],
  transcoder: ["transcoder", "stores", "core"],
  delivery: ["delivery", "stores", "core"],
  "player-demo": ["player-demo"],
  studio: ["studio"],
  infra: ["infra"],
};

/** The home of each package: the files or folders (with a slash) that may import it. Tests may import any. */
const HOMES: Record<string, string[]> = {
  "@aws-sdk/client-s3": ["stores/blobs"],
  "@aws-sdk/s3-request-presigner": ["stores/blobs"],
  "@hono/node-server": ["api/main.ts", "delivery/app.ts"],
  "@hono/zod-openapi": ["api/"],
  bullmq: ["stores/queue.ts"],
  "close-with-grace": ["api/main.ts", "transcoder/main.ts", "delivery/main.ts"],
  commander: ["studio/cli/"],
  "fluent-ffmpeg": ["transcoder/ffmpeg-command.ts"],
  hono: ["api/", "delivery/"],
  "hls-video-element": ["player-demo/"],
  "hls.js": ["player-demo/"],
  ioredis: ["stores/queue.ts", "api/rate-limit.ts"],
  jose: ["api/auth.ts"],
  "media-chrome": ["player-demo/"],
  mongodb: ["stores/library/"],
  pino: ["stores/log.ts"],
  "prom-client": ["stores/metrics.ts", "api/metrics.ts", "delivery/metrics.ts"],
  "rate-limiter-flexible": ["api/rate-limit.ts"],
  vite: ["player-demo/vite.config.ts", "studio/web/vite.config.ts"],
  zod: ["api/"],
};

interface SourceFile {
  path: string;
  room: string;
  text: string;
  imports: string[];
}

const files = await sourceFiles();

test("the rooms import what the law allows, and nothing else of ours", () => {
  const breaches = files.flatMap(({ path, room, imports }) => {
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) return [];
    return imports
      .filter((target) => target.startsWith("."))
      .map((target) => posix.join(posix.dirname(path), target))
      .filter((target) => !allowed.includes(target.split("/")[0] as string))
      .map((target) => `${path} imports ${target}`);
  });
  assert.deepEqual(breaches, []);
});

test("core knows nothing of the outside: no package, and of Node only its hashes", () => {
  const foreign = files
    .filter(({ room }) => room === "core")
    .flatMap(({ path, imports }) => imports.map((target) => ({ path, target })))
    .filter(({ target }) => !target.startsWith(".") && target !== "node:crypto");
  assert.deepEqual(foreign, []);
});

test("every package has its home, and is imported nowhere else", () => {
  const strays = files
    .filter(({ room }) => MAY_IMPORT[room] !== undefined)
    .flatMap(({ path, imports }) =>
      imports
        .filter((target) => !target.startsWith(".") && !target.startsWith("node:"))
        .map((target) => ({ path, name: packageName(target) }))
        .filter(({ name }) => !(HOMES[name] ?? []).some((home) => path.startsWith(home)))
        .map(({ name }) => `${path} imports ${name}`),
    );
  assert.deepEqual(strays, []);
});

test("no package is in the table without being imported", () => {
  const imported = new Set(files.flatMap(({ imports }) => imports.map(packageName)));
  assert.deepEqual(
    Object.keys(HOMES).filter((name) => !imported.has(name)),
    [],
  );
});

test("the environment is read where processes begin, and nowhere else", () => {
  const mayRead = /(^|\/)main\.ts$|^(infra\/start|test|bench|studio\/cli)\//;
  const readers = files.filter(({ path, text }) => !mayRead.test(path) && /\bprocess\.env\b/.test(text));
  assert.deepEqual(
    readers.map(({ path }) => path),
    [],
  );
});

test("names say what a thing is: no drawers for odds and ends, no barrels", () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc|shared|lib|index)(\/|\.ts$)/;
  assert.deepEqual(
    files.map(({ path }) => path).filter((path) => vague.test(path)),
    [],
  );
});

test("what is exported has its own name", () => {
  const unnamed = files.filter(
    ({ path, text }) => !path.endsWith("vite.config.ts") && /^export default\b/m.test(text),
  );
  assert.deepEqual(
    unnamed.map(({ path }) => path),
    [],
  );
});

test("the reader of imports sees every form of them", () => {
  const text = `import "a";\nimport x from "./b.ts";\nimport {\n  type Y,\n} from "@c/d/e";\nexport { z } from "f";\nawait import("g");\nconst s = 'from "no"';`;
  assert.deepEqual(importsOf(text), ["a", "./b.ts", "@c/d/e", "f", "g"]);
  assert.deepEqual(["@c/d/e", "f/g", "h"].map(packageName), ["@c/d", "f", "h"]);
});

async function sourceFiles(): Promise<SourceFile[]> {
  const paths = await Array.fromAsync(glob(`{${ROOMS.join(",")}}/**/*.ts`, { cwd: root }));
  return paths
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, room: path.split("/")[0] as string, text, imports: importsOf(text) };
    });
}

function importsOf(text: string): string[] {
  const statements =
    /^import\s+"([^"]+)"|^(?:import|export)\s[^"'();=]*?\sfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...text.matchAll(statements)].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
}

function packageName(target: string): string {
  const parts = target.split("/");
  return parts.slice(0, target.startsWith("@") ? 2 : 1).join("/");
}
